// The cell to copy, and the guard of the form around it.
function render({ model, el }) {
  const code = document.createElement("pre");
  const button = document.createElement("button");
  button.textContent = "Copy";
  button.className = "jupyter-button";
  code.tabIndex = 0;
  code.setAttribute("aria-label", "The magic that does the same");
  const show = () => { code.textContent = model.get("value"); };
  const select = () => {
    const range = document.createRange();
    range.selectNodeContents(code);
    getSelection().removeAllRanges();
    getSelection().addRange(range);
  };
  button.onclick = async () => {
    select();
    try {
      await navigator.clipboard.writeText(model.get("value"));
      button.textContent = "Copied";
    } catch {
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = "Copy"; }, 2000);
  };
  model.on("change:value", show);
  show();
  el.classList.add("aml-cell");
  el.append(button, code);
  // Shortcuts of JupyterLab act on a focused button or box: "b" would insert a cell.
  const guard = () => {
    const form = el.closest(".aml-form");
    if (form) form.addEventListener("keydown", (event) => event.stopPropagation());
    else requestAnimationFrame(guard);
  };
  requestAnimationFrame(guard);
}
export default { render };
