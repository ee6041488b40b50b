// Drawing of what stands in a cell. Text is only ever set as text; shapes come from names and numbers.
const make = (tag, facts, ...inside) => {
  const [name, ...classes] = tag.split("."), node = document.createElement(name)
  Object.assign(node, { className: classes.join(" ") }, facts).append(...inside.filter(Boolean))
  return node
}
const svg = (tag, facts, ...inside) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const name in facts) node.setAttribute(name, facts[name])
  node.append(...inside)
  return node
}
const words = text => make("span", { dir: "auto" }, text)
const quiet = (text, ariaLabel, onclick) => make("button.quiet", { ariaLabel, onclick }, text)
const paths = {
  ok: "M3 8.5 6.5 12 13 4.5", bad: "M4 4 12 12M12 4 4 12", run: "M5 3.5 12.5 8 5 12.5Z", off: "M5.5 4V12M10.5 4V12",
  wait: "M8 2A6 6 0 1 1 7.9 2M8 4.5V8L10.5 9.5", warn: "M8 2.5 14.5 13.5H1.5ZM8 6.5V9.5M8 11.4V11.8",
}
const icon = name => svg("svg", { viewBox: "0 0 16 16", class: "icon " + name, "aria-hidden": true }, svg("path", { d: paths[name] }))
const drawing = (label, [width, fixed, ...rects]) => svg("svg", { role: "img", "aria-label": label, class: "drawing",
  preserveAspectRatio: "none", viewBox: `0 0 ${width} 16`, width: fixed ? width : "100%",
}, ...rects.map(([x, y, width, height, tone]) => svg("rect", { x, y, width, height, class: tone })))

// Fill a box; true when it says something else than before.
const fill = (box, cell) => {
  const was = box.was, { t = cell, i, h = "", d } = cell
  box.was = JSON.stringify(cell)
  if (was === box.was) return
  box.title = d ? h || t : h
  box.replaceChildren(...(i ? [icon(i)] : []), d ? drawing(t, d) : words(t))
  return was
}
const flash = box => matchMedia("(prefers-reduced-motion: reduce)").matches || box.animate([{ background: "#f906" }, {}], 1200)
