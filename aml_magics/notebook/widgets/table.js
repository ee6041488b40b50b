// The table. It draws the rows in sight, keeps scroll and focus where they are, and reports gestures to Python.
const ROW = 28, SPARE = 8
const { max, min } = Math
const still = { preventScroll: true }
const focused = () => document.activeElement
const between = (low, at, high) => max(low, min(at, high))

// Bring the shared picture up to date. It is changed in place: what a page saves is what it last showed.
const apply = (picture, { v, whole, set, keys, rows, cells = [], acts = [], more = "" }) => {
  Object.assign(picture, whole, set, { v })
  Object.assign(picture.rows, rows)
  if (keys) {
    picture.keys = keys
    picture.rows = Object.fromEntries(keys.map(key => [key, picture.rows[key]]))
  }
  for (const [key, at, cell] of cells) picture.rows[key][0][at] = cell
  for (const [key, those] of acts) picture.rows[key][1] = those
  picture.log = (picture.log + more).slice(-2e5)
}

const view = (model, el) => {
  const { label, columns, layout, least, actions, height, opens } = model.get("spec")
  const now = () => model.get("picture"), id = Math.random(), drawn = new Map() // key -> its element
  let asked = 0, answered = 0, slow, gone, wide = 0, log, shown
  let at = 0, part = 0, held, tabbed = {} // where the keyboard is: row -1 is that of headings, part 0 the row itself, then its buttons
  let top, topAt, jumped // the key that was first in sight, and where
  let scrolled = 0, high = 0, counted // as last read: to read it at every message would make the page lay out twice

  const named = key => {
    const [[cell], , name] = now().rows[key] ?? [[key]]
    return name ?? cell.t ?? cell
  }
  const busy = (key, action) => now().busy.some(pair => pair[0] === key && pair[1] === action)

  // Python is asked for everything; its answer says whose question it was.
  const idle = () => asked === answered
  const ask = (what, more) => {
    model.send({ do: what, q: [id, ++asked], ...more })
    clearTimeout(slow)
    slow = setTimeout(() => tell(" · waiting for the kernel"), 400)
  }
  const tell = (more = "") => {
    const text = now().says + (gone ? " · no kernel: run the cell again" : more)
    if (status.textContent !== text) status.textContent = text
  }

  // Gestures. What can be shown at once is; Python's answer has the last word.
  const act = (key, action) => {
    if (busy(key, action)) return
    now().busy.push([key, action])
    ask("act", { key, action })
    refresh({ set: { busy: 1 } })
  }
  const pick = (key, { key: pressed, shiftKey, ctrlKey, metaKey }) => {
    const how = shiftKey ? "range" : ctrlKey || metaKey || pressed === " " ? "toggle" : "only", { picked } = now()
    now().picked = how === "only" ? [key] : picked.includes(key) ? picked.filter(one => one !== key) : [...picked, key]
    ask("pick", { key, how })
    draw()
  }
  const close = () => {
    if (below.contains(focused())) (drawn.get(now().opened) ?? grid).focus()
    ask("close")
  }
  const open = key => now().opened === key ? close() : opens && ask("open", { key })
  const typed = () => {
    if (!idle() || input.value === now().filter) return
    scroll(0)
    ask("filter", { text: input.value })
  }
  const read = () => {
    scrolled = grid.scrollTop
    high = grid.clientHeight
  }
  const scroll = to => {
    jumped = true
    grid.scrollTop = to
    read()
  }

  // Rows: one element for each key, moved rather than made anew, so that focus and selection stay where they are.
  const button = ([action, label], key = now().opened, tabIndex = 0) => {
    const pending = busy(key, action)
    return make(pending ? "button.busy" : "button", { tabIndex, ariaDisabled: pending, onclick: () => act(key, action),
      ariaLabel: `${label} ${named(key)}${pending ? ": pending" : ""}` }, label)
  }
  const aligned = ({ look }, facts, inside) => make("div." + look, facts, inside)
  const makeRow = key => {
    const boxes = columns.map(() => make("div.text"))
    const line = make("div.row", { role: "row", tabIndex: -1, key, boxes,
      onclick: event => event.target.closest("button") || pick(key, event) }, ...boxes.map((box, place) => aligned(columns[place], { role: "gridcell" }, box)))
    if (opens) line.firstChild.prepend(line.opener = make("button.opener", { tabIndex: -1, onclick: () => open(key) }))
    if (acting) line.append(line.acts = make("div.acts", { role: "gridcell" }))
    drawn.set(key, line)
    body.append(line)
    return line
  }
  const drawActs = (line, acts) => {
    const state = named(line.key) + acts.map(action => action + busy(line.key, action))
    if (line.state === state) return
    line.state = state
    const had = [...line.acts.children].indexOf(focused())
    line.acts.replaceChildren(...acts.map(action => button([action, actions[action]], line.key, -1)))
    if (had >= 0) (line.acts.children[had] ?? line).focus()
    wide = max(wide, acts.reduce((sum, action) => sum + actions[action].length * .6 + 2.4, 1))
    root.style.setProperty("--acts", wide + "em")
  }
  const drawRow = (key, place) => {
    const { rows, picked, opened } = now(), line = drawn.get(key) ?? makeRow(key)
    line.at = place
    line.style.top = place * ROW + "px"
    line.ariaRowIndex = place + 2
    line.ariaSelected = picked.includes(key)
    rows[key][0].forEach((cell, place) => fill(line.boxes[place], cell) && flash(line.boxes[place].parentNode))
    if (opens) Object.assign(line.opener, { ariaExpanded: opened === key, ariaLabel: "Details of " + named(key) })
    if (acting) drawActs(line, rows[key][1])
  }
  const draw = () => {
    const { start, keys, count } = now(), stop = start + keys.length, went = keys.indexOf(top) + start - topAt
    const seenFirst = () => scrolled / ROW | 0
    // Rows that come or go above those in sight do not move them.
    if (!jumped && topAt > 0 && seenFirst() === topAt && keys.includes(top) && went) scroll(scrolled + went * ROW)
    jumped = false
    topAt = seenFirst()
    top = keys[topAt - start]
    const many = Math.ceil(high / ROW) || height, from = max(0, topAt - SPARE), to = min(count, topAt + many + SPARE)
    const seen = new Set(keys.slice(max(0, from - start), max(0, to - start)))
    let place = max(from, start)
    for (const key of seen) drawRow(key, place++)
    for (const [key, line] of drawn) {
      if (seen.has(key)) continue
      const lost = line.contains(focused())
      drawn.delete(key)
      line.remove()
      if (lost) grid.focus(still)
    }
    rove()
    if ((from < start || to > stop) && idle()) ask("rows", { start: max(0, topAt - many), length: many * 3 })
  }

  const moved = () => {
    read()
    draw()
  }

  // The keyboard: one element of the grid can be tabbed to; arrows move it.
  const stops = () => {
    const { keys, start } = now(), line = drawn.get(keys[at - start])
    return at < 0 ? heads : line ? [line, ...line.querySelectorAll("button")] : [grid]
  }
  const rove = () => {
    const { keys, start, count } = now()
    at = keys.includes(held) ? start + keys.indexOf(held) : min(at, count - 1)
    held = keys[at - start]
    const all = stops()
    tabbed.tabIndex = -1
    tabbed = all[min(part, all.length - 1)]
    tabbed.tabIndex = 0
    if (focused() === grid && tabbed !== grid) tabbed.focus(still)
  }
  const entered = ({ target }) => {
    const line = target.closest(".row")
    if (!line) return
    at = line.at
    held = line.key
    part = max(0, stops().indexOf(target))
    rove()
  }
  const move = (to, next = part) => {
    at = between(-1, to, now().count - 1)
    const place = at * ROW, { keys, start } = now()
    held = keys[at - start]
    if (at >= 0) scroll(between(place + 2 * ROW - high, scrolled, place))
    draw()
    part = between(0, next, stops().length - 1)
    rove()
    tabbed.focus({ preventScroll: at >= 0 && !part })
  }
  const pressed = event => {
    const { key, target, ctrlKey, metaKey } = event, { opened, keys, start, count } = now()
    const here = keys[at - start]
    event.stopPropagation() // or JupyterLab takes it for a command
    const steps = { ArrowDown: [at + 1], ArrowUp: [at - 1], PageDown: [at + height - 1], PageUp: [max(0, at - height + 1)],
      Home: [0, 0], End: [count - 1, 0], ArrowRight: [at, part + 1], ArrowLeft: [at, part - 1] }
    if (key === "Escape" && opened) close()
    else if (target === input && key === "ArrowDown") move(0, 0)
    else if (target === input) return
    else if (key === "/") input.focus()
    else if (!grid.contains(target)) return
    else if (steps[key]) move(...steps[key])
    else if (key === "a" && (ctrlKey || metaKey)) ask("pick", { how: "all" })
    else if (target.localName === "button" || key !== "Enter" && key !== " ") return
    else if (at < 0) target.click()
    else if (here) key === "Enter" && opens ? open(here) : pick(here, event)
    event.preventDefault()
  }

  // What Python said.
  const drawDetail = (set, more) => {
    const { detail, log: text, opened } = now(), follows = !log || opened !== shown || atEnd(log), was = log?.scrollTop
    if (more && log) addTo(log, more, text)
    if (!set || !("detail" in set || "log" in set || "busy" in set)) return
    log = detail?.log && make("pre", { tabIndex: 0, role: "log", ariaLabel: "Log" }, text)
    below.replaceChildren(...(detail ? [detailArea(detail, log, one => button(one), close)] : []))
    if (log) follows ? toEnd(log) : log.scrollTop = was
    shown = opened
  }
  const refresh = ({ whole, set = whole, more, q }) => {
    const { sort, filter, error, footer, count, none } = now()
    if (set && "filter" in set && !q) input.value = filter // else a person is typing
    heads.forEach((head, place) => { head.ariaSort = sort?.[0] !== place ? "none" : sort[1] ? "ascending" : "descending" })
    if (counted !== count) {
      body.style.height = count * ROW + "px"
      grid.ariaRowCount = 1 + (counted = count)
      read()
    }
    nothing.textContent = none
    foot.textContent = footer
    if (strip.said !== error) {
      strip.said = error
      strip.replaceChildren(...(error ? [icon("bad"), words(error), quiet("✕", "Dismiss the error", () => ask("dismiss"))] : []))
    }
    tell()
    drawDetail(set, more)
    draw()
  }
  const receive = patch => {
    const { q, set } = patch, mine = q?.[0] === id
    if (mine) answered = q[1]
    if (idle()) clearTimeout(slow)
    if (mine || set?.start === undefined || !q) refresh(patch) // else another view of this table has scrolled
    typed()
  }

  // What there is on the page.
  const acting = Object.keys(actions).length > 0
  const heads = columns.map((column, place) => aligned(column, { role: "columnheader", tabIndex: -1,
    onclick: () => column.sorts && ask("sort", { column: place }) }, words(column.title)))
  const head = make("div.row.head", { role: "row", ariaRowIndex: 1, at: -1 }, ...heads,
    acting && make("div.acts", { role: "columnheader", ariaLabel: "Actions" }))
  const body = make("div.body")
  const grid = make("div.grid", { role: "grid", ariaLabel: label, ariaMultiSelectable: true,
    onscroll: moved }, make("div.inner", {}, head, body))
  const input = make("input", { type: "search", placeholder: "Filter", ariaLabel: "Filter " + label, oninput: typed })
  const status = make("span.soft", { role: "status" }), strip = make("div.error", { role: "alert" }), nothing = make("p.soft")
  const below = make("div"), foot = make("footer.soft")
  const root = make("div.aml-table", { role: "group", ariaLabel: label, onkeydown: pressed },
    make("div.bar", {}, make("strong", {}, label), status, input), strip, grid, nothing, below, foot)
  grid.style.maxHeight = (height + 1) * ROW + 2 + "px"
  grid.style.setProperty("--columns", layout + (acting ? " var(--acts, 0)" : ""))
  grid.style.setProperty("--least", least)
  grid.addEventListener("focusin", entered)
  el.append(root)
  refresh({ set: now() })
  const size = new ResizeObserver(moved), heard = { "msg:custom": receive, comm_live_update: () => tell(gone = true) }
  size.observe(grid)
  for (const name in heard) model.on(name, heard[name])
  return () => {
    size.disconnect()
    for (const name in heard) model.off(name, heard[name])
  }
}

export default {
  initialize({ model }) {
    model.on("msg:custom", patch => {
      const picture = model.get("picture")
      if (patch.whole || patch.v === picture.v + 1) apply(picture, patch)
      else if (patch.v > picture.v) model.send({ do: "all" })
    })
  },
  render: ({ model, el }) => view(model, el),
}
