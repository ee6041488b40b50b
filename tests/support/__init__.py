"""What the tests of several rooms share: a clock, real kernels, notebooks, a real JupyterLab."""
