// Drawing of what stands in a cell. Text is only ever set as text; shapes come from names and numbers.
const make = (tag, facts = {}, ...inside) => {
  const node = Object.assign(document.createElement(tag), facts)
  node.append(...inside)
  return node
}
const svg = (tag, facts, ...inside) => {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag)
  for (const name in facts) node.setAttribute(name, facts[name])
  node.append(...inside)
  return node
}
const PATHS = {
  ok: "M3 8.5 6.5 12 13 4.5", bad: "M4 4 12 12M12 4 4 12", run: "M5 3.5 12.5 8 5 12.5Z",
  wait: "M8 2A6 6 0 1 1 7.99 2M8 4.5V8L10.5 9.5", off: "M5.5 4V12M10.5 4V12", warn: "M8 2.5 14.5 13.5H1.5ZM8 6.5V9.5M8 11.4V11.8",
}
const icon = name => svg("svg", { viewBox: "0 0 16 16", class: `aml-icon aml-${name}`, "aria-hidden": "true" },
  svg("path", { d: PATHS[name] ?? "" }))
const rect = (x, y, width, height, tone) => svg("rect", { x, y, width, height, class: `aml-${tone}` })

const spark = values => {
  const top = Math.max(...values.map(Math.abs)) || 1
  return values.map((value, at) => value == null ? "" : value < 0
    ? rect(at * 5, 11.5, 4, 4, "bad") : rect(at * 5, 10.5 - Math.max(1, value / top * 10), 4, Math.max(1, value / top * 10), "ok"))
}
const drawing = cell => svg("svg", {
  role: "img", "aria-label": cell.t, class: cell.s ? "aml-spark" : "aml-bars", preserveAspectRatio: "none",
  viewBox: cell.s ? `0 0 ${cell.s.length * 5} 16` : "0 0 100 16", ...(cell.s && { width: cell.s.length * 5 }),
}, ...(cell.s ? spark(cell.s) : cell.b.map(([x, width, tone]) => rect(x * 100, 4, Math.max(.8, width * 100), 8, tone || "wait"))))

// Fill one cell; true when it says something else than before.
const fill = (box, cell) => {
  const was = box.was
  box.was = JSON.stringify(cell)
  if (was === box.was) return false
  const { t, i, h, s, b } = cell.t === undefined ? { t: cell } : cell
  box.title = h ?? (s || b ? t : "")
  box.replaceChildren(...(i ? [icon(i)] : []), s || b ? drawing(cell) : make("span", { textContent: t, dir: "auto" }))
  return was !== undefined
}
const still = matchMedia("(prefers-reduced-motion: reduce)")
const flash = box => still.matches || box.animate([{ backgroundColor: "var(--aml-flash)" }, {}], 1200)
