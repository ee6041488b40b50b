"""What a person sees in JupyterLab. A package, so that its tests share one server, which ends with them."""
