// The table. It draws the rows in sight, keeps scroll and focus where they are, and reports gestures to Python.
const ROW = 28, SPARE = 8

// Bring the shared picture up to date. It is changed in place: what a page saves is what it last showed.
const apply = (picture, patch) => {
  Object.assign(picture, patch.whole, patch.set)
  if (!patch.whole) {
    Object.assign(picture.rows, patch.rows)
    if (patch.keys) {
      picture.keys = patch.keys
      picture.rows = Object.fromEntries(patch.keys.map(key => [key, picture.rows[key]]))
    }
    for (const [key, at, cell] of patch.cells ?? []) picture.rows[key][0][at] = cell
    for (const [key, acts] of patch.acts ?? []) picture.rows[key][1] = acts
  }
  if (patch.more) picture.log += patch.more
  picture.v = patch.v
}

class View {
  constructor(model, el) {
    this.model = model
    this.spec = model.get("spec")
    this.id = Math.random().toString(36).slice(2)
    this.asked = this.answered = 0
    this.row = 0 // where the keyboard is: -1 is the row of headings
    this.part = 0 // 0 is the row itself, then its buttons
    this.drawn = new Map()
    el.append(this.build())
    this.size = new ResizeObserver(() => this.draw())
    this.size.observe(this.grid)
    this.refresh({})
  }
  get now() { return this.model.get("picture") }

  build() {
    const { label, columns, height, noun } = this.spec
    const widths = columns.map(({ width, grow }) => `minmax(${width * .58 + 1.4}em, ${grow || .001}fr)`)
    const acts = Object.keys(this.spec.actions).length
    this.input = make("input", { type: "search", placeholder: "Filter", ariaLabel: `Filter ${noun}s`, oninput: () => this.typed() })
    this.status = make("span", { role: "status", className: "aml-status" })
    this.error = make("div", { role: "alert", className: "aml-error", hidden: true })
    this.heads = columns.map((column, at) => make("div", {
      role: "columnheader", className: column.right ? "aml-right" : "", tabIndex: -1, ariaColIndex: at + 1,
      onclick: () => column.sorts && this.ask("sort", { column: at }),
    }, make("span", { textContent: column.title, title: column.title })))
    this.head = make("div", { role: "row", className: "aml-row aml-head", ariaRowIndex: 1 }, ...this.heads)
    if (acts) this.head.append(make("div", { role: "columnheader", className: "aml-acts", ariaColIndex: columns.length + 1 },
      make("span", { className: "aml-unseen", textContent: "Actions" })))
    this.body = make("div", { role: "presentation", className: "aml-body" })
    this.nothing = make("p", { className: "aml-nothing" })
    this.grid = make("div", {
      role: "grid", className: "aml-grid", ariaLabel: label, ariaMultiSelectable: "true", ariaColCount: columns.length + !!acts,
      onscroll: () => this.draw(), onfocus: () => this.focus(),
    }, make("div", { role: "presentation", className: "aml-inner" }, this.head, this.body))
    this.grid.style.maxHeight = `${(height + 1) * ROW + 2}px`
    this.below = make("div")
    this.footer = make("div", { className: "aml-footer" })
    this.root = make("div", {
      className: "aml-table", role: "group", ariaLabel: label,
      onkeydown: event => { event.stopPropagation(); this.key(event) },
    }, make("div", { className: "aml-bar" }, make("strong", { textContent: label }), this.status, this.input),
    this.error, this.grid, this.nothing, this.below, this.footer)
    this.root.style.setProperty("--columns", [...widths, ...(acts ? ["var(--acts)"] : [])].join(" "))
    this.root.style.setProperty("--least", columns.reduce((sum, { width }) => sum + width * .58 + 1.4, acts && 7) + "em")
    this.grid.addEventListener("focusin", event => this.entered(event.target))
    return this.root
  }

  // Python is asked for everything; the answer says whose question it was.
  ask(what, more = {}) {
    this.asked += 1
    this.model.send({ do: what, q: [this.id, this.asked], ...more })
    clearTimeout(this.slow)
    this.slow = setTimeout(() => { this.root.classList.add("aml-slow"); this.tell() }, 400)
  }
  receive(patch) {
    const mine = patch.q?.[0] === this.id
    if (mine) this.answered = patch.q[1]
    if (this.answered === this.asked) { clearTimeout(this.slow); this.root.classList.remove("aml-slow") }
    if (patch.q && !mine && patch.set?.start !== undefined) return // another view of this table has scrolled
    this.refresh(patch, mine)
  }
  refresh(patch, mine) {
    const { sort, filter, error, footer, count, total } = this.now
    if (this.asked === this.answered && this.input.value !== filter) this.input.value = filter
    this.heads.forEach((head, at) => { head.ariaSort = sort?.[0] === at ? (sort[1] ? "ascending" : "descending") : "none" })
    this.body.style.height = `${count * ROW}px`
    this.grid.ariaRowCount = count + 1
    this.nothing.hidden = count > 0
    this.nothing.textContent = total ? `Nothing matches “${filter}”.` : this.spec.empty || `No ${this.spec.noun}s.`
    this.footer.textContent = footer
    this.error.hidden = !error
    this.error.replaceChildren(...(error ? [icon("bad"), make("span", { textContent: error, dir: "auto" }), make("button", {
      className: "aml-quiet", textContent: "✕", ariaLabel: "Dismiss the error", onclick: () => this.ask("dismiss") })] : []))
    this.tell()
    this.detail(patch)
    this.draw(mine !== false || !patch.q)
  }
  tell() {
    const { count, total, chosen } = this.now
    const words = `${count < total ? `${count.toLocaleString("en")} of ` : ""}${total.toLocaleString("en")} ${this.spec.noun}${total === 1 ? "" : "s"}`
    const text = words + (chosen ? `, ${chosen.toLocaleString("en")} selected` : "") + (this.gone ? " · the kernel is gone: run the cell again"
      : this.root.classList.contains("aml-slow") ? " · waiting for the kernel" : "")
    if (this.status.textContent !== text) this.status.textContent = text
  }

  // Rows: one element for each key, moved rather than made anew, so that focus and selection stay where they are.
  draw() {
    const { start, keys, count } = this.now
    this.anchor()
    const first = Math.floor(this.grid.scrollTop / ROW)
    const many = Math.ceil(this.grid.clientHeight / ROW) || this.spec.height
    const from = Math.max(0, first - SPARE), to = Math.min(count, first + many + SPARE)
    const seen = new Set()
    for (let at = Math.max(from, start); at < Math.min(to, start + keys.length); at++) {
      seen.add(keys[at - start])
      this.drawRow(keys[at - start], at)
    }
    const lost = document.activeElement?.closest?.(".aml-row")
    for (const [key, row] of this.drawn) {
      if (seen.has(key)) continue
      this.drawn.delete(key)
      row.remove()
      if (row === lost) this.grid.focus({ preventScroll: true })
    }
    this.top = keys[first - start]
    this.topAt = first
    this.rove()
    if ((from < start || to > start + keys.length) && this.asked === this.answered)
      this.ask("rows", { start: Math.max(0, first - many), length: many * 3 })
  }
  // Rows that came or went above the ones in sight do not move those.
  anchor() {
    const { start, keys } = this.now
    const at = this.top === undefined || this.jumped ? -1 : keys.indexOf(this.top)
    if (at >= 0 && this.grid.scrollTop >= ROW && start + at !== this.topAt && Math.floor(this.grid.scrollTop / ROW) === this.topAt)
      this.grid.scrollTop += (start + at - this.topAt) * ROW
    this.jumped = false
  }
  drawRow(key, at) {
    const [cells, acts] = this.now.rows[key]
    const row = this.drawn.get(key) ?? this.makeRow(key)
    row.at = at
    row.style.transform = `translateY(${at * ROW}px)`
    row.ariaRowIndex = at + 2
    row.ariaSelected = this.now.picked.includes(key)
    cells.forEach((cell, place) => fill(row.boxes[place], cell) && flash(row.boxes[place].parentNode))
    if (row.opener) row.opener.ariaExpanded = this.now.opened === key
    if (row.acts) this.drawActs(row, acts)
    return row
  }
  makeRow(key) {
    const { columns, opens, actions } = this.spec
    const row = make("div", { role: "row", className: "aml-row", tabIndex: -1,
      onclick: event => event.target.closest("button") || this.pick(key, event),
      ondblclick: () => this.open(key) })
    row.key = key
    row.boxes = columns.map(() => make("div", { className: "aml-text" }))
    row.append(...row.boxes.map((box, at) => make("div", { role: "gridcell", ariaColIndex: at + 1,
      className: columns[at].right ? "aml-right" : "" }, box)))
    if (opens) row.firstChild.prepend(row.opener = make("button", { className: "aml-opener", tabIndex: -1,
      ariaLabel: `Details of ${this.name(key)}`, onclick: () => this.open(key) }))
    if (Object.keys(actions).length) row.append(row.acts = make("div", { role: "gridcell", className: "aml-acts", ariaColIndex: columns.length + 1 }))
    this.drawn.set(key, row)
    this.body.append(row)
    return row
  }
  drawActs(row, acts) {
    const busy = acts.map(act => this.busy(row.key, act))
    const state = JSON.stringify([acts, busy])
    if (row.state === state) return
    row.state = state
    const had = [...row.acts.children].indexOf(document.activeElement)
    this.widen(acts.reduce((sum, act) => sum + this.spec.actions[act].length * .6 + 2.4, 1))
    row.acts.replaceChildren(...acts.map(act => this.button([act, this.spec.actions[act]], row.key)))
    if (had >= 0) (row.acts.children[Math.min(had, acts.length - 1)] ?? row).focus()
  }
  widen(need) {
    if (need <= (this.need ?? 0)) return
    this.need = need
    this.root.style.setProperty("--acts", need + "em")
  }
  button([act, label], key = this.now.opened) {
    const busy = this.busy(key, act)
    return make("button", { className: busy ? "aml-act aml-busy" : "aml-act", tabIndex: -1, textContent: label, ariaDisabled: busy,
      ariaLabel: `${label} ${this.name(key)}${busy ? ": pending" : ""}`, onclick: () => this.act(key, act) })
  }
  name(key) {
    const cell = this.now.rows[key]?.[0][0]
    return cell?.t ?? cell ?? key
  }
  busy(key, act) { return this.now.busy.some(([one, other]) => one === key && other === act) }

  // Gestures. What can be shown at once is; Python's answer has the last word.
  act(key, act) {
    if (this.busy(key, act)) return
    this.now.busy.push([key, act])
    this.ask("act", { key, action: act })
    this.refresh({ set: { detail: 1 } })
  }
  pick(key, event) {
    const how = event.shiftKey ? "range" : event.ctrlKey || event.metaKey || event.key === " " ? "toggle" : "only"
    const picked = new Set(how === "only" ? [] : this.now.picked)
    how === "toggle" && picked.delete(key) || picked.add(key)
    this.now.picked = [...picked]
    this.ask("pick", { key, how })
    this.draw()
  }
  open(key) {
    if (!this.spec.opens) return
    if (this.now.opened === key) return this.close()
    this.ask("open", { key })
  }
  close() {
    const row = this.drawn.get(this.now.opened)
    this.ask("close")
    if (this.below.contains(document.activeElement)) row ? row.focus() : this.grid.focus()
  }
  typed() {
    clearTimeout(this.typing)
    this.asked === this.answered && (this.asked += 1, this.answered += 0)
    this.typing = setTimeout(() => { this.jump(0); this.ask("filter", { text: this.input.value }) }, 120)
  }
  jump(top) { this.jumped = true; this.grid.scrollTop = top }

  // The keyboard: one element of the grid can be tabbed to; arrows move it.
  parts(row) { return [row, ...(row?.querySelectorAll("button") ?? [])] }
  entered(target) {
    const row = target.closest(".aml-row")
    if (!row) return
    this.row = row === this.head ? -1 : row.at
    this.part = row === this.head ? Math.max(0, this.heads.indexOf(target)) : this.parts(row).indexOf(target)
    this.rove()
  }
  target() {
    if (this.row < 0) return this.heads[this.part] ?? this.heads[0]
    const key = this.now.keys[this.row - this.now.start]
    const parts = this.parts(this.drawn.get(key))
    return parts[Math.min(this.part, parts.length - 1)]
  }
  rove() {
    const inside = this.drawn.get(document.activeElement?.closest?.(".aml-row")?.key)
    if (inside) this.row = inside.at
    const target = this.target()
    if (this.stop !== target) {
      if (this.stop) this.stop.tabIndex = -1
      this.stop = target
    }
    if (target) target.tabIndex = 0
    this.grid.tabIndex = target ? -1 : 0
  }
  focus() { this.target()?.focus() }
  move(row, part = this.part) {
    this.row = Math.max(-1, Math.min(this.now.count - 1, row))
    this.part = part
    if (this.row >= 0) {
      const top = this.row * ROW, { scrollTop, clientHeight } = this.grid
      if (top < scrollTop) this.jump(top)
      else if (top + 2 * ROW > scrollTop + clientHeight) this.jump(top + 2 * ROW - clientHeight)
      this.draw()
    }
    const target = this.target()
    target ? target.focus({ preventScroll: true }) : this.grid.focus({ preventScroll: true })
    if (this.row < 0) target?.scrollIntoView({ block: "nearest", inline: "nearest" })
  }
  key(event) {
    if (event.key === "Escape" && this.now.opened) return this.close()
    if (event.key === "/" && event.target !== this.input) { event.preventDefault(); return this.input.focus() }
    if (event.target === this.input) return event.key === "ArrowDown" && this.move(0, 0)
    if (!this.grid.contains(event.target)) return
    const page = Math.max(1, Math.floor(this.grid.clientHeight / ROW) - 2), last = this.now.count - 1
    const key = this.now.keys[this.row - this.now.start], { ctrlKey, metaKey } = event
    const steps = {
      ArrowDown: () => this.move(this.row + 1), ArrowUp: () => this.move(this.row - 1),
      PageDown: () => this.move(this.row + page), PageUp: () => this.move(Math.max(0, this.row - page)),
      Home: () => this.move(0, 0), End: () => this.move(last, 0),
      ArrowRight: () => this.move(this.row, this.part + (this.part < (this.row < 0 ? this.heads : this.parts(event.target.closest(".aml-row"))).length - 1)),
      ArrowLeft: () => this.move(this.row, Math.max(0, this.part - 1)),
      a: (ctrlKey || metaKey) && (() => this.ask("pick", { how: "all" })),
      ...(event.target.localName !== "button" && (this.row < 0
        ? { Enter: () => event.target.click(), " ": () => event.target.click() }
        : { Enter: () => key && (this.spec.opens ? this.open(key) : this.pick(key, event)), " ": () => key && this.pick(key, event) })),
    }
    if (steps[event.key]) { event.preventDefault(); steps[event.key]() }
  }

  detail({ whole, set, more }) {
    if (more) return this.log?.add(more)
    const known = whole || !set ? ["detail"] : Object.keys(set)
    if (!known.some(name => ["detail", "log", "busy"].includes(name))) return
    const { detail, log, opened } = this.now
    const { box, follower } = detail ? detailArea(detail, log, one => this.button(one), () => this.close()) : {}
    const was = this.log?.pre, follows = !was || this.log.atEnd(), top = was?.scrollTop
    this.log = follower
    this.below.replaceChildren(...(box ? [box] : []))
    if (follower) follows || opened !== this.shown ? follower.end() : follower.pre.scrollTop = top
    this.shown = opened
    for (const button of this.below.querySelectorAll("button")) button.tabIndex = 0
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
  render({ model, el }) {
    const view = new View(model, el)
    const receive = patch => view.receive(patch)
    const gone = () => { view.gone = true; view.tell() }
    model.on("msg:custom", receive)
    model.on("comm_live_update", gone)
    return () => {
      view.size.disconnect()
      model.off("msg:custom", receive)
      model.off("comm_live_update", gone)
    }
  },
}
