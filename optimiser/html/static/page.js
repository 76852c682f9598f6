"use strict";
/* Draws the figures and rows of a page for what is chosen. All text is written as text. */
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const form = document.getElementById("choices");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  const PAPER = 660; // pixels of a chart across a sheet of A4
  const SHEET = 820; // pixels of a chart down it, below its titles
  const SHEETWIDE = 688; // pixels between the margins of A4
  const LONG = 320; // characters of a cell of which only the beginning is shown
  const WORD = 32; // characters of a word, as of a checksum, that may be broken
  const PHONE = 600; // pixels of a chart below which titles of axes have no room
  let printing = false;
  const exact = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 12 });
  const ROWS = 25; // that are shown at once, of a sheet
  const FEW = 12; // beside the figures of a chapter
  // Okabe and Ito (2008): told apart by the colour-blind too
  const LIGHT = {
    parts: ["#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#f0e442", "#7f7f7f"],
    fresh: ["#08519c", "#3182bd", "#6baed6", "#fdae6b", "#e6550d"],
    faded: ["#8a8f96", "#c3c7cc"],
    lost: "#d55e00", open: "#a9cce3", aim: "#a3000f", sum: "#333333", base: "#0b4f8a",
    band: "rgba(0,114,178,.22)", ink: "#1b2330", grid: "#dfe4ea", land: "#dde3ea",
  };
  const DARK = {
    parts: ["#56b4e9", "#e69f00", "#2bc59b", "#e2a2c6", "#9ad1f2", "#f08a4b", "#f0e442", "#b5b5b5"],
    fresh: ["#2f7fd0", "#5aa5e0", "#93c7ee", "#fdbb84", "#f0803c"],
    faded: ["#6f7680", "#4b525b"],
    lost: "#f08a4b", open: "#36546d", aim: "#ff8f8f", sum: "#e8ecf2", base: "#8cc4f5",
    band: "rgba(86,180,233,.25)", ink: "#e8ecf2", grid: "#333c47", land: "#2a323d",
  };

  /* --- Elements ------------------------------------------------------------------------------ */

  function element(name, text, attributes) {
    const made = document.createElement(name);
    if (text !== undefined && text !== null && text !== "") made.textContent = text;
    for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
    return made;
  }

  /* With a capital, where it begins with a word and not with the name of a cell. */
  function capital(text) {
    return /^[a-z]+(?![\w.[])/.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text;
  }

  /* What the charting library would read as markup or as a template stands as text. */
  function literal(text) {
    return String(text).replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;");
  }

  /* --- What is chosen ------------------------------------------------------------------------ */

  function numbers() {
    return data.choices.map((each) => Number(form.elements[each.name].value));
  }

  function chosen() {
    const found = {};
    numbers().forEach((number, k) => {
      if (number) found[data.choices[k].name] = data.choices[k].names[number - 1];
    });
    return found;
  }

  function words() {
    const found = Object.entries(chosen()).map(([name, value]) => `${name} ${value}`);
    if (!found.length) {
      const more = data.left ? ` ${exact.format(data.left)} less likely scenarios cannot be chosen here.` : "";
      return data.choices.some((each) => each.name === "scenario")
        ? `Sums are expected over the scenarios; choose one to see what is done if it comes.${more}` : "";
    }
    return `Shown: ${found.join(", ")}.`;
  }

  /* --- Figures ------------------------------------------------------------------------------- */

  const drawn = new Map(); // the figure of each element that holds a chart
  let watcher = null;

  function show() {
    const picked = data.choices.length ? numbers() : [];
    const whole = data.views[""];
    const name = picked.some(Boolean) ? picked.join("|") : "";
    const view = data.views[name];
    drawn.clear();
    if (watcher) watcher.disconnect();
    watcher = new IntersectionObserver(
      (seen) => seen.filter((each) => each.isIntersecting).forEach((each) => plot(each.target)),
      { rootMargin: "400px" });
    document.querySelectorAll(".chapter > .figures").forEach((place, k) => {
      const own = view ? view[k] : null;
      const figures = own || whole[k];
      place.replaceChildren();
      if (!view) {
        const text = "For this combination no figures are worked out: those of the whole plan"
          + " follow. The rows are of what is chosen.";
        place.append(element("p", text, { class: "warning" }));
      }
      figures.forEach((number) => {
        const same = name !== "" && whole[k].includes(number);
        place.append(figure(data.figures[number], same || (name !== "" && !own)));
      });
      if (!figures.length) place.append(element("p", "Nothing of this is planned.", { class: "aside" }));
    });
    if (form) document.getElementById("chosen").textContent = words();
    rows();
  }

  function figure(each, same) {
    const place = element("section", "", { class: "figure" });
    place.dataset.name = each.name;
    const title = element("h3", each.title);
    const marks = [];
    if (each.expected) marks.push("expected over the scenarios");
    if (same) marks.push("of the whole plan: what is chosen does not part it");
    if (marks.length) title.append(element("span", ` (${marks.join("; ")})`, { class: "mark" }));
    if (each.title || marks.length) place.append(title);
    if (each.sort === "text") paragraphs(place, each);
    if (each.sort === "table") place.append(...table(each));
    if (each.sort === "chart") charted(place, each);
    return place;
  }

  function paragraphs(place, each) {
    if (each.paragraphs.length > 1) {
      const list = element("ul");
      list.append(...each.paragraphs.map((one) => element("li", one)));
      place.append(list);
    } else {
      place.append(...each.paragraphs.map((one) => element("p", one)));
    }
    if (each.aside) place.append(element("p", each.aside, { class: "aside" }));
  }

  function table(each) {
    const parts = each.caption ? [element("p", each.caption, { class: "aside" })] : [];
    const made = element("table");
    const head = made.createTHead().insertRow();
    each.columns.forEach((column) => head.append(element("th", column.title,
      { scope: "col", ...(column.number ? { class: "number" } : {}), ...hint(column) })));
    if (each.notes) head.append(element("th", "Note", { scope: "col" }));
    const body = made.createTBody();
    const sizes = each.lines.flatMap((line) => line.cells.slice(1).map((cell) => Math.abs(cell.number || 0)));
    const most = Math.max(...sizes, 0);
    const classes = each.columns.map((column, c) => kind(each, column, c));
    each.lines.forEach((line) => {
      const row = body.insertRow();
      if (line.total || line.differs) row.className = line.total ? "total" : "differs";
      each.columns.forEach((_, c) => {
        const cell = line.cells[c] || { text: "", number: null };
        const shown = element(c ? "td" : "th", cell.text, c ? {} : { scope: "row" });
        if (classes[c]) shown.className = classes[c];
        if (c && each.map) {
          shown.className = "heat";
          heat(shown, cell.number, most);
        }
        row.append(shown);
      });
      if (each.notes) row.append(element("td", line.note, { class: "note" }));
    });
    parts.push(wide(made, each.title || each.name));
    return parts;
  }

  /* How wide a column of a table is: numbers are never broken, texts by their longest. */
  function kind(each, column, c) {
    if (c && column.number) return "number";
    const texts = each.lines.map((line) => line.cells[c]).filter(Boolean).map((cell) => cell.text);
    return [width({ texts }), ...(texts.some(long) ? ["code"] : [])].join(" ");
  }

  function long(text) {
    return text.split(/\s/).some((word) => word.length > WORD);
  }

  function hint(column) {
    return column.meaning ? { title: column.meaning } : {};
  }

  function heat(cell, number, most) {
    if (!number || !most) return;
    const share = Math.abs(number) / most;
    cell.style.backgroundColor = `rgba(var(--heat), ${(0.08 + 0.3 * share).toFixed(3)})`;
  }

  function wide(inner, name) {
    const place = element("div", "", { class: "wide", tabindex: "0", role: "region", "aria-label": name });
    place.append(inner);
    return place;
  }

  /* --- Charts -------------------------------------------------------------------------------- */

  function charted(place, each) {
    const caption = capital(each.caption);
    place.append(element("p", caption, { class: "aside" }));
    const chart = element("div", "", { class: "chart", role: "img", "aria-label": `${each.title}. ${caption}` });
    chart.style.height = `${height(each, place)}px`;
    place.append(chart);
    const numbers = element("details", "", { class: "numbers" });
    numbers.append(element("summary", "Numbers", { "aria-label": `Numbers of the chart: ${each.title}` }));
    numbers.addEventListener("toggle", () => {
      if (numbers.open && numbers.childElementCount === 1) numbers.append(wide(listed(each), each.title));
    });
    place.append(numbers);
    drawn.set(chart, each);
    watcher.observe(chart);
  }

  function height(each, place) {
    if (printing) return Math.min(SHEET, needed(each));
    return has(each, "place") ? Math.min(needed(each), 0.62 * place.clientWidth || Infinity) : needed(each);
  }

  function needed(each) {
    if (has(each, "bar")) return Math.max(240, 130 + 26 * each.labels.length);
    if (has(each, "span")) return Math.max(260, 150 + 17 * each.labels.length);
    return has(each, "place") ? 460 : 380;
  }

  function has(each, mark) {
    return each.series.some((one) => one.mark === mark);
  }

  function listed(each) {
    const made = element("table");
    const head = made.createTHead().insertRow();
    const spans = has(each, "span");
    const more = each.series.some((one) => one.notes.length);
    const names = [each.x.title, ...each.series.map((one) => one.name), ...(more ? ["Note"] : [])];
    names.forEach((name) => head.append(element("th", name, { scope: "col" })));
    const body = made.createTBody();
    each.labels.forEach((label, r) => {
      const row = body.insertRow();
      row.append(element("th", label, { scope: "row" }));
      each.series.forEach((one) => {
        const value = one.values[r];
        let text = value === null || value === undefined ? "" : value;
        if (typeof text === "number") text = exact.format(text);
        if (spans && text) text = `${one.begins[r]} to ${text}`;
        row.append(element("td", text, { class: spans ? "" : "number" }));
      });
      if (more) row.append(element("td", noted(each, r), { class: "sentence" }));
    });
    return made;
  }

  function plot(place) {
    if (!window.Plotly || !drawn.has(place) || place.dataset.done) return;
    place.dataset.done = "yes";
    watcher.unobserve(place);
    const each = drawn.get(place);
    const look = dark.matches && !printing ? DARK : LIGHT;
    const across = printing ? PAPER : place.clientWidth;
    const traces = has(each, "place") ? placed(each, look, across) : series(each, look);
    const options = { displayModeBar: false, responsive: true, showTips: false };
    const made = layout(each, look, across, height(each, place));
    place.style.height = `${height(each, place)}px`;
    window.Plotly.react(place, traces, made, options);
  }

  function unit(each, one) {
    const axis = one.right && each.right ? each.right : each.y;
    return axis.unit ? ` ${axis.unit}` : "";
  }

  function colours(each, look) {
    const seen = {};
    return each.series.map((one) => {
      const k = seen[one.role] = one.role in seen ? seen[one.role] + 1 : 0;
      switch (one.role) {
        case "counting": return look.fresh[k % look.fresh.length];
        case "not counting": return look.faded[k % look.faded.length];
        case "spread": return one.mark === "band" ? look.band : look.faded[0];
        case "low": return look.parts[0];
        case "high": return look.parts[1];
        case "lost": case "open": case "aim": case "sum": case "base": return look[one.role];
        default: return one.mark === "band" ? look.band : look.parts[k % look.parts.length];
      }
    });
  }

  function series(each, look) {
    const found = colours(each, look);
    const below = each.labels.map(() => 0);
    const labels = each.labels.map((label) => typeof label === "number" ? label : literal(label));
    const empty = (one) => each.series.length > 1 && one.values.every((value) => !value);
    return each.series.map((one, k) => {
      const text = one.values.map((value, r) => value === null ? "" : said(each, one, value, r));
      const trace = { name: literal(one.name), customdata: text, hovertemplate: "%{customdata}<extra></extra>",
        x: labels, y: one.values, yaxis: one.right ? "y2" : "y", showlegend: !empty(one) };
      if (one.mark === "column" || one.mark === "bar" || one.mark === "span") {
        return bars(each, one, trace, found[k], labels);
      }
      if (one.mark === "band") {
        one.values.forEach((value, r) => { below[r] += value || 0; });
        const beneath = one.role === "beneath";
        return Object.assign(trace, { type: "scatter", mode: "lines", y: [...below], line: { width: 0 },
          fill: beneath ? "none" : "tonexty", fillcolor: found[k], showlegend: !beneath && !empty(one),
          hoverinfo: beneath ? "skip" : undefined, hovertemplate: beneath ? undefined : trace.hovertemplate });
      }
      const line = one.mark !== "point";
      const shown = one.marks || one.mark === "joined" ? "lines+markers" : "lines";
      return Object.assign(trace, { type: "scatter", mode: line ? shown : "markers",
        line: { color: found[k], width: 2.5, dash: one.role === "aim" ? "dash" : "solid" },
        marker: { color: found[k], size: 8, symbol: "diamond",
          opacity: one.values.map((_, r) => one.faint.includes(r) ? 0.35 : 1) } });
    });
  }

  function said(each, one, value, r) {
    const label = literal(each.labels[r]);
    if (one.mark === "span") {
      return `${label}<br>${literal(one.name)}: ${one.begins[r]} to ${value}<br>${wrapped(noted(each, r))}`;
    }
    const along = typeof each.labels[r] === "number" ? `${literal(each.x.title)} ${exact.format(each.labels[r])}` : label;
    return `${along}<br>${literal(one.name)}: ${exact.format(value)}${literal(unit(each, one))}`;
  }

  function noted(each, r) {
    const found = each.series.find((one) => one.notes.length);
    return found ? found.notes[r] : "";
  }

  function wrapped(text) {
    return literal(text).split("; ").join("<br>");
  }

  function bars(each, one, trace, colour, labels) {
    const hatched = one.role === "not counting" || one.role === "lost";
    const marker = { color: colour, ...(hatched ? { pattern: { shape: "/", size: 6, solidity: 0.25 } } : {}) };
    if (one.mark === "column") return Object.assign(trace, { type: "bar", marker });
    const across = { type: "bar", orientation: "h", marker, y: labels, yaxis: "y" };
    if (one.mark === "bar") return Object.assign(trace, across, { x: one.values });
    const long = one.values.map((end, r) => end === null ? null : new Date(end) - new Date(one.begins[r]));
    return Object.assign(trace, across, { x: long, base: one.begins });
  }

  function placed(each, look, across) {
    const land = data.places.outlines.map((ring) => ({ type: "scatter", mode: "lines", fill: "toself",
      x: [...ring, ring[0]].map((point) => point[0]), y: [...ring, ring[0]].map((point) => point[1]),
      line: { width: 0.5, color: look.land }, fillcolor: look.land, hoverinfo: "skip", showlegend: false }));
    const [one] = each.series;
    const known = each.labels.map((label, r) => ({ label, r, at: data.places.at[label] })).filter((row) => row.at);
    const most = Math.max(...one.values, 0);
    const largest = across < PHONE ? 18 : 38;
    land.push({ type: "scatter", mode: "markers+text", showlegend: false,
      x: known.map((row) => row.at[0]), y: known.map((row) => row.at[1]),
      text: known.map((row) => literal(row.label)), textposition: sides(known, across), cliponaxis: false,
      textfont: { color: look.ink, size: across < PHONE ? 10 : 12 },
      customdata: known.map((row) => `${said(each, one, one.values[row.r], row.r)}<br>${wrapped(noted(each, row.r))}`),
      hovertemplate: "%{customdata}<extra></extra>",
      marker: { size: known.map((row) => 6 + (most ? largest * Math.sqrt(one.values[row.r] / most) : 0)),
        color: known.map((row) => one.values[row.r] > 0 ? look.parts[0] : look.faded[0]), opacity: 0.75,
        line: { color: look.ink, width: 1 } } });
    return land;
  }

  /* The names of near places stand on different sides of them. How near they are depends on how
     wide the map is. */
  function sides(places, across) {
    const ways = ["top center", "bottom center", "middle right", "middle left"];
    const [wide, tall] = across < PHONE ? [64, 22] : [24, 14];
    const found = [];
    places.forEach(({ at }, k) => {
      const near = places.slice(0, k).map((each, r) => ({ way: found[r], x: each.at[0] - at[0], y: each.at[1] - at[1] }))
        .filter((each) => Math.abs(each.x) < wide && Math.abs(each.y) < tall).map((each) => each.way);
      found.push(ways.find((way) => !near.includes(way)) || ways[0]);
    });
    return found;
  }

  function layout(each, look, width, tall) {
    const narrow = printing || width < PHONE;
    const title = (axis) => ({ text: literal(axis.unit ? `${axis.title} [${axis.unit}]` : axis.title), font: { size: 12 } });
    const axis = { gridcolor: look.grid, linecolor: look.grid, zerolinecolor: look.grid, automargin: true, fixedrange: true };
    const amounts = { ...axis, title: title(each.y), tickformat: ",", tickmode: "auto", ...(each.y.least === 0 ? { rangemode: "tozero" } : {}) };
    const words = each.labels.some((label) => typeof label !== "number");
    const along = { ...axis, title: title(each.x), type: words ? "category" : "linear",
      ...(each.x.every ? { tickmode: "array", tickangle: narrow ? -45 : "auto",
        tickvals: each.labels.map(literal).filter((_, r) => r % (each.x.every * (narrow ? 2 : 1)) === 0) } : {}) };
    const flat = has(each, "bar") || has(each, "span");
    if (narrow) along.title = { text: "" };
    const made = {
      ...(printing ? { width: PAPER, height: tall, autosize: false } : { autosize: true }),
      paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", dragmode: false,
      font: { color: look.ink, family: "system-ui, Segoe UI, Liberation Sans, Arial, sans-serif", size: 12 },
      margin: { l: 60, r: each.right ? 60 : 20, t: 10, b: 40 }, barmode: each.stacked ? "relative" : "group",
      bargap: each.spacing / (100 + each.spacing), hovermode: "closest",
      hoverlabel: { align: "left", namelength: -1 }, showlegend: each.series.length > 1 && !has(each, "place"),
      legend: { orientation: "h", y: narrow ? -0.3 : -0.18, yref: "paper", yanchor: "top", x: 0, traceorder: "normal" },
      xaxis: along, yaxis: amounts,
    };
    if (flat) {
      made.xaxis = each.y.dates ? { ...axis, type: "date", title: { text: "" } } : { ...amounts };
      made.yaxis = { ...axis, type: "category", autorange: "reversed", tickfont: { size: Math.round((has(each, "span") ? 10 : 12) * tall / needed(each)) },
        categoryorder: "array", categoryarray: each.labels.map(literal) };
      if (width < PHONE && !each.y.dates) Object.assign(made.xaxis, { title: { text: "" }, nticks: 4, tickangle: 0 });
      made.legend = { ...made.legend, y: 1, yanchor: "bottom" };
      made.margin.t = 40;
      if (has(each, "span")) {
        made.barmode = "overlay";
        made.bargap = 0.15;
        made.yaxis.nticks = 2 * each.labels.length;
      }
    }
    if (each.right) {
      made.yaxis2 = { ...axis, title: title(each.right), side: "right", showgrid: false, tickmode: "auto",
        tickformat: ",", ...(each.right.least === 0 ? { rangemode: "tozero" } : {}) };
      // Columns stand behind the lines.
      const behind = each.series.some((one) => one.right && one.mark === "column");
      if (behind) made.yaxis.overlaying = "y2";
      else made.yaxis2.overlaying = "y";
    }
    if (has(each, "place")) {
      const none = { visible: false, fixedrange: true };
      made.xaxis = { ...none, range: [-170, 182] };
      made.yaxis = { ...none, range: [-57, 84], scaleanchor: "x", scaleratio: 1.25 };
      made.margin = { l: 0, r: 0, t: 0, b: 0 };
    }
    return made;
  }

  function redraw() {
    document.querySelectorAll(".chart[data-done]").forEach((place) => {
      delete place.dataset.done;
      plot(place);
    });
  }

  /* --- Rows ---------------------------------------------------------------------------------- */

  const state = new Map(); // by table: the page, the order, the words that are searched
  const ends = new Map(); // by lead: what its rows are known by
  const ways = {
    scenario: (table, name) => table.scenarios && by(table.scenarios, (text) => !(text in data.holds) || data.holds[text].includes(name)),
    material: (table, name) => column(table, "material", (text) => text === name || (data.groups[text] || []).includes(name)),
    buyer: (table, name) => column(table, "buyer", (text) => text === name) || column(table, "site", (text) => data.sites[text] === name),
  };

  function by(texts, fits) {
    const found = texts.texts.map(fits);
    return (r) => found[texts.values[r]];
  }

  function column(table, name, fits) {
    const found = table.columns.find((each) => each.name === name);
    return found && found.texts ? by(found, fits) : null;
  }

  function cell(table, each, r) {
    const value = each.values[r];
    if (each.texts) return each.texts[value];
    if (value === null || typeof value === "string") return value || "";
    const amount = alone(table, each, r);
    const share = each.sort === "share";
    const places = each.places === null ? { maximumFractionDigits: 8 }
      : { minimumFractionDigits: each.places, maximumFractionDigits: each.places };
    if (share) return `${new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 }).format(100 * amount)} %`;
    return new Intl.NumberFormat("en-US", places).format(amount);
  }

  /* A number as it is shown: that of a scenario alone is weighed by no probability. */
  function alone(table, each, r) {
    const weighed = each.expected && table.probability && chosen().scenario;
    return weighed ? each.values[r] / table.probability[r] : each.values[r];
  }

  /* By what a row is sorted: its text, or its number; what is unlimited is above all numbers. */
  function key(table, each, r) {
    if (each.texts) return each.texts[each.values[r]];
    if (each.values[r] === null) return null;
    return typeof each.values[r] === "string" ? Infinity : alone(table, each, r);
  }

  /* A cell that leads to rows of another table: they are searched for its word. */
  function led(table, each, r) {
    const text = cell(table, each, r);
    if (!each.leads || !text || text.length > LONG) return null;
    const lead = each.leads.length === 1 ? each.leads[0] : each.leads.find((one) => matched(table, one, r));
    if (!lead) return null;
    const word = wording(table, lead.own, r);
    const name = lead.to || wording(table, lead.named, r);
    if (!word || !state.has(name)) return null;
    const press = element("button", text, { type: "button", class: "lead", title: `Rows of ${name} with ${word}` });
    press.addEventListener("click", () => go(name, word));
    return press;
  }

  /* Of several ways that a cell may lead the first is taken that has a row at its end. */
  function matched(table, lead, r) {
    const there = data.tables.find((one) => one.name === lead.to);
    if (!there) return false;
    const key = (one, side, row) => JSON.stringify(lead.on.map((pair) => wording(one, pair[side], row)));
    if (!ends.has(lead)) ends.set(lead, new Set(Array.from({ length: there.height }, (_, row) => key(there, 0, row))));
    return ends.get(lead).has(key(table, 1, r));
  }

  function wording(table, name, r) {
    const each = table.columns.find((one) => one.name === name);
    const text = each && each.texts ? each.texts[each.values[r]] : "";
    return each && each.several ? first(text) : text;
  }

  /* The first name of a list; a name that holds a comma stands in quotation marks. */
  function first(text) {
    const [, quoted, plain] = /^(?:"((?:[^"]|"")*)"(?=,|$)|([^,]*))/.exec(text);
    return quoted === undefined ? plain : quoted.replaceAll('""', '"');
  }

  function go(name, word) {
    const place = [...document.querySelectorAll("[data-table]")].find((each) => each.dataset.table === name);
    Object.assign(state.get(name), { search: word.toLowerCase(), page: 0 });
    if (place.tagName === "DETAILS") place.open = true;
    open(place);
    const search = place.querySelector("input[type=search]");
    search.value = word;
    place.scrollIntoView();
    search.focus({ preventScroll: true });
  }

  function kept(table) {
    const tests = Object.entries(chosen()).map(([name, value]) => ways[name](table, value)).filter(Boolean);
    const { search, sorted, down } = state.get(table.name);
    const found = [];
    for (let r = 0; r < table.height; r += 1) {
      if (tests.every((test) => test(r)) && (!search || matches(table, r, search))) found.push(r);
    }
    if (sorted !== null) {
      const each = table.columns[sorted];
      const keys = new Map(found.map((r) => [r, key(table, each, r)]));
      const order = (a, b) => a < b ? -1 : a > b ? 1 : 0;
      const blank = (a) => a === null || a === "" ? 1 : 0;
      found.sort((a, b) => {
        const [one, other] = [keys.get(a), keys.get(b)];
        return blank(one) - blank(other) || (down ? -1 : 1) * order(one, other) || a - b;
      });
    }
    return found;
  }

  function matches(table, r, search) {
    return table.columns.some((each) => each.texts && each.texts[each.values[r]].toLowerCase().includes(search));
  }

  function columns(table) {
    const found = [...table.columns];
    if (table.scenarios && !chosen().scenario) {
      found.push({ title: "Scenarios", texts: table.scenarios.texts, values: table.scenarios.values, sort: "text", meaning: "scenarios the row holds for" });
      found.push({ title: "Probability", values: table.probability, sort: "share", meaning: "probability of these scenarios" });
    }
    return found;
  }

  function sheet(table, place) {
    const now = state.get(table.name);
    const all = kept(table);
    const most = place.tagName === "DETAILS" ? ROWS : FEW;
    const last = Math.max(0, Math.ceil(all.length / most) - 1);
    now.page = Math.min(now.page, last);
    const shown = all.slice(now.page * most, (now.page + 1) * most);
    const parts = columns(table);
    const made = element("table");
    const head = made.createTHead().insertRow();
    parts.forEach((each, c) => {
      const title = each.expected && table.probability && !chosen().scenario && !/^expected/i.test(each.title) ? `${each.title} × probability` : each.title;
      const top = element("th", "", { scope: "col", ...hint(each), ...(each.texts ? {} : { class: "number" }) });
      if (c < table.columns.length) {
        top.setAttribute("aria-sort", now.sorted === c ? (now.down ? "descending" : "ascending") : "none");
        const press = element("button", title, { type: "button" });
        press.addEventListener("click", () => {
          now.down = now.sorted === c && !now.down;
          now.sorted = c;
          sheet(table, place);
          place.querySelectorAll("thead button")[c].focus();
        });
        top.append(press);
      } else {
        top.textContent = title;
      }
      head.append(top);
    });
    const body = made.createTBody();
    shown.forEach((r) => {
      const row = body.insertRow();
      parts.forEach((each) => {
        const held = element("td", "", { class: each.texts ? width(each) : "number" });
        held.append(led(table, each, r) || folded(cell(table, each, r)));
        row.append(held);
      });
    });
    place.querySelector(".held").replaceChildren(wide(made, table.title));
    const from = all.length ? now.page * most + 1 : 0;
    const more = table.all > table.height ? ` This page holds the first ${exact.format(table.height)} of ${exact.format(table.all)} rows.` : "";
    place.querySelector("output").textContent = `Rows ${from} to ${now.page * most + shown.length} of ${exact.format(all.length)}.${more}`;
    place.querySelector(".back").disabled = now.page === 0;
    place.querySelector(".on").disabled = now.page >= last;
    place.querySelector(".means").textContent = remarks(table);
  }

  /* A long list, as of all lots of a contract, shows its beginning until it is opened. */
  function folded(text) {
    if (text.length <= LONG) return text;
    const more = element("details");
    const cut = text.lastIndexOf(" ", LONG / 4);
    more.append(element("summary", `${text.slice(0, cut < 0 ? LONG / 4 : cut)} …`), element("p", text));
    return more;
  }

  function width(each) {
    const longest = Math.max(0, ...each.texts.map((text) => text.length));
    return longest < 28 ? "brief" : longest < 60 ? "text" : "sentence";
  }

  function remarks(table) {
    const found = [];
    const now = chosen();
    if (now.scenario && table.means) found.push("A figure that depends on what comes after a row is the mean over the scenarios in which the row holds.");
    if (now.scenario && !table.scenarios) found.push("These rows are of all scenarios together.");
    ["material", "buyer"].forEach((name) => {
      if (now[name] && !ways[name](table, now[name])) found.push(`These rows name no ${name}.`);
    });
    return found.join(" ");
  }

  function tools(table, place) {
    const search = element("input", "", { type: "search", "aria-label": `Search ${table.title}`, placeholder: "Search" });
    const back = element("button", "Previous", { type: "button", class: "back", "aria-label": `Previous rows of ${table.title}` });
    const on = element("button", "Next", { type: "button", class: "on", "aria-label": `Next rows of ${table.title}` });
    const now = state.get(table.name);
    search.addEventListener("input", () => {
      now.search = search.value.trim().toLowerCase();
      now.page = 0;
      sheet(table, place);
    });
    back.addEventListener("click", () => { now.page -= 1; sheet(table, place); });
    on.addEventListener("click", () => { now.page += 1; sheet(table, place); });
    const bar = element("div", "", { class: "tools" });
    bar.append(search, back, on, element("output"));
    if (place.tagName !== "DETAILS") place.append(element("h3", table.title), element("p", table.about, { class: "aside" }));
    place.append(element("p", "", { class: "aside means" }), bar, element("div", "", { class: "held" }));
  }

  function open(place) {
    const table = data.tables.find((each) => each.name === place.dataset.table);
    if (!place.querySelector(".held")) tools(table, place);
    sheet(table, place);
  }

  function rows() {
    document.querySelectorAll("[data-table]").forEach((place) => {
      if (place.tagName !== "DETAILS" || place.open) open(place);
    });
  }

  function prepare() {
    data.tables.forEach((table) => state.set(table.name, { page: 0, sorted: null, down: false, search: "" }));
    const place = document.getElementById("tables");
    const placed = new Set([...document.querySelectorAll("[data-table]")].map((each) => each.dataset.table));
    data.tables.filter((table) => !placed.has(table.name)).forEach((table) => {
      const part = element("details", "", { class: "sheet", id: `sheet-${table.name}`, "data-table": table.name });
      const title = element("summary", `${table.title} `);
      title.append(element("span", `${exact.format(table.all)} ${table.all === 1 ? "row" : "rows"}: ${table.about}`));
      part.append(title);
      part.addEventListener("toggle", () => { if (part.open) open(part); });
      place.append(part);
    });
  }

  /* --- The charting library ------------------------------------------------------------------ */

  async function unpack() {
    const packed = document.getElementById("library");
    if (!packed || !("DecompressionStream" in window)) return;
    const bytes = Uint8Array.from(atob(packed.textContent), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    const text = await new Response(stream).text();
    // Its maps, which are not drawn here, bring a style sheet that the policy refuses: the library
    // leaves it out where an element has the name of it.
    for (const [, name] of text.matchAll(/getElementById\("([0-9a-f]{64})"\)/g)) {
      document.head.append(element("template", "", { id: name }));
    }
    const script = element("script");
    script.textContent = text; // its hash stands in the policy
    document.head.append(script);
    packed.remove();
    document.querySelectorAll(".chart").forEach((place) => watcher.observe(place));
  }

  /* Of a table that is wider than the paper, however its texts wrap, what fits is printed, and a
     line says so. It is measured as it is laid out on paper. */
  function trim() {
    document.body.classList.add("paper");
    const cuts = [...document.querySelectorAll(".wide table")].map((table) => {
      const heads = [...table.tHead.rows[0].cells];
      const left = table.getBoundingClientRect().left;
      const first = heads.findIndex((each) => each.getBoundingClientRect().right - left > SHEETWIDE);
      return { table, heads, first };
    });
    cuts.filter((each) => each.first > 0).forEach(({ table, heads, first }) => {
      [...table.rows].forEach((row) => [...row.cells].slice(first).forEach((each) => each.classList.add("beyond")));
      const left = heads.length - first;
      const said = left === 1 ? `One more column is on screen: ${heads[first].textContent}.`
        : `${left} more columns are on screen: from ${heads[first].textContent} on.`;
      table.after(element("p", said, { class: "aside trimmed" }));
    });
  }

  function untrim() {
    document.body.classList.remove("paper");
    document.querySelectorAll(".trimmed").forEach((each) => each.remove());
    document.querySelectorAll(".beyond").forEach((each) => each.classList.remove("beyond"));
  }

  prepare();
  show();
  if (form) form.addEventListener("change", show);
  unpack().then(() => {
    const near = (place) => place.getBoundingClientRect().top < window.innerHeight + 400;
    [...drawn.keys()].filter(near).forEach(plot);
    document.body.dataset.ready = "yes";
  });
  dark.addEventListener("change", redraw);
  window.addEventListener("beforeprint", () => { printing = true; trim(); redraw(); [...drawn.keys()].forEach(plot); });
  window.addEventListener("afterprint", () => { printing = false; untrim(); redraw(); });
})();
