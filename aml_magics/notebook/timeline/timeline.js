// The timeline: two drawings, of which one shows. The switch asks nobody, so it works while a cell runs.
const made = (kind, properties, ...parts) => {
  const one = Object.assign(document.createElement(kind), properties);
  one.append(...parts);
  return one;
};
const LENGTHS = { short: "24 hours", long: "7 days" };

function render({ model, el }) {
  const buttons = {}, figures = {};
  for (const [name, words] of Object.entries(LENGTHS)) {
    buttons[name] = made("button", { type: "button", textContent: words });
    buttons[name].onclick = () => {
      model.set("is_long", name === "long");
      try { model.save_changes(); } catch { /* no kernel: it shows here all the same */ }
    };
    figures[name] = made("div", { className: "drawing" });
    model.on(`change:${name}`, () => draw(name));
  }
  const group = made("div", { className: "switch", role: "group", ariaLabel: "How far the timeline reaches" });
  group.append(...Object.values(buttons));
  const footer = made("footer", {});
  const draw = (name) => {
    const { svg, said } = model.get(name);
    figures[name].innerHTML = svg ?? ""; // Python escapes every name in it
    figures[name].append(...(said ?? []).map((line) => made("p", { textContent: line })));
  };
  const choose = () => {
    for (const name in LENGTHS) {
      const is = (name === "long") === model.get("is_long");
      figures[name].hidden = !is;
      buttons[name].ariaPressed = is;
    }
  };
  const say = () => { footer.textContent = model.get("footer"); };
  model.on("change:is_long", choose);
  model.on("change:footer", say);
  Object.keys(LENGTHS).forEach(draw);
  choose();
  say();
  el.classList.add("aml-timeline");
  Object.assign(el, { role: "region", ariaLabel: "Timeline" });
  // Shortcuts of JupyterLab act on a focused button: "b" would insert a cell.
  el.addEventListener("keydown", (event) => event.stopPropagation());
  const head = made("div", { className: "bar" }, made("strong", { textContent: "Timeline" }), group);
  el.append(head, ...Object.values(figures), footer);
}
export default { render };
