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
  const guard = () => {
    const form = el.closest(".aml-form");
    if (!form) return requestAnimationFrame(guard);
    // Shortcuts of JupyterLab act on a focused button or box: "b" would insert a cell.
    form.addEventListener("keydown", (event) => event.stopPropagation());
    // The kernel may be busy and hear of the click late: that it is pending shows at once.
    form.addEventListener("click", (event) => {
      const create = event.target.closest(".aml-create");
      if (create) Object.assign(create, { textContent: "Creating …", disabled: true });
    });
  };
  requestAnimationFrame(guard);
}
export default { render };
