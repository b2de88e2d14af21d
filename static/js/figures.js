// Draws each [data-figure] with Vega in the page's colours. Where dots stand for images, the one
// pointed at, tapped or reached with the arrow keys is shown in the reader beside the figures.
// Without this file the figures are pictures that the server drew.
"use strict";

const dark = matchMedia("(prefers-color-scheme: dark)");
const MINUS = "\u2212";
const PICTURE_PX = 168;

const decimals = (value, digits) => value.toFixed(digits).replace("-", MINUS);

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function facts(datum) {
  const rows = [["Process", datum.process]];
  if (datum.size != null) rows.push(["Subset size", String(datum.size)]);
  if (datum.score != null) rows.push(["Score", decimals(datum.score, 1)]);
  if (datum.rating != null) {
    const { rating, rating_low: low, rating_high: high } = datum;
    const interval = low == null ? "" : ` [${decimals(low, 2)}, ${decimals(high, 2)}]`;
    rows.push(["Mean", decimals(rating, 2) + interval], ["Ratings", String(datum.n_ratings)]);
  }
  rows.push(["In group", datum.in_subset ? "yes" : "no"]);
  const list = element("dl", { className: "facts" });
  for (const [name, value] of rows) {
    list.append(element("dt", { textContent: name }), element("dd", { textContent: value }));
  }
  return list;
}

// The image whole, enlarged by a whole multiple, in a box that is there before it loads.
function picture(source, alt) {
  const image = element("img", { alt });
  image.addEventListener("load", () => {
    const longest = Math.max(image.naturalWidth, image.naturalHeight);
    const times = longest <= PICTURE_PX ? Math.floor(PICTURE_PX / longest) : PICTURE_PX / longest;
    image.width = Math.round(image.naturalWidth * times);
    image.height = Math.round(image.naturalHeight * times);
    image.classList.toggle("pixelated", times > 1);
  });
  image.src = source;
  return element("span", { className: "mat" }, image);
}

function reader(figure) {
  const box = figure.closest("[data-reading]")?.querySelector("[data-reader]");
  if (!box) return null;
  box.hidden = false;
  const page = (datum) => box.dataset.imagePage.replace(/IMAGE_+/, datum.image);
  let shown = null;
  return {
    page,
    show(datum) {
      if (shown === datum.image) return;
      shown = datum.image;
      box.replaceChildren(
        picture(box.dataset.imageFile.replace(/IMAGE_+/, datum.image), `${datum.process} image`),
        facts(datum),
        element("a", { href: page(datum), textContent: "Open its page" }),
      );
    },
  };
}

const datumOf = (dot) => dot.__data__?.datum;

function dotsOf(drawing) {
  const paths = [...drawing.querySelectorAll("svg .mark-symbol path")];
  return paths.filter((path) => datumOf(path)?.image);
}

// One tab stop; arrow keys go to the next dot along that axis, Home and End to the outermost.
function rove(drawing, shows) {
  const place = (dot) => dot.getBoundingClientRect();
  const along = { x: (dot) => place(dot).x, y: (dot) => -place(dot).y };
  const moves = {
    ArrowRight: ["x", 1],
    ArrowLeft: ["x", -1],
    ArrowUp: ["y", 1],
    ArrowDown: ["y", -1],
    Home: ["x", -Infinity],
    End: ["x", Infinity],
  };
  const refresh = () => {
    const dots = dotsOf(drawing);
    dots.sort((a, b) => along.x(a) - along.x(b));
    const stop = dots.find((dot) => dot.tabIndex === 0) ?? dots[0];
    for (const dot of dots) {
      dot.setAttribute("tabindex", dot === stop ? "0" : "-1");
      dot.setAttribute("role", "link");
      dot.removeAttribute("aria-roledescription");
    }
  };
  refresh();
  drawing.addEventListener("focusin", (event) => {
    if (datumOf(event.target)?.image) shows.show(datumOf(event.target));
  });
  drawing.addEventListener("keydown", (event) => {
    const datum = datumOf(event.target);
    if (!datum?.image) return;
    if (event.key === "Enter") {
      location.href = shows.page(datum);
      return;
    }
    if (!(event.key in moves)) return;
    event.preventDefault();
    const [axis, step] = moves[event.key];
    const dots = dotsOf(drawing);
    const order = new Map(dots.map((dot, index) => [dot, [along[axis](dot), index]]));
    dots.sort((a, b) => order.get(a)[0] - order.get(b)[0] || order.get(a)[1] - order.get(b)[1]);
    const index = dots.indexOf(event.target) + step;
    const next = dots[Math.max(0, Math.min(dots.length - 1, index))];
    event.target.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  });
  return refresh;
}

// A figure's title as text of the page, where it wraps; inside a narrow drawing it would be cut.
function captionOf(specification) {
  const { text = [], subtitle = [] } = specification.title ?? {};
  delete specification.title;
  const headline = subtitle.length ? [text].flat().join(" ") : "";
  const notes = (subtitle.length ? [subtitle] : [text]).flat(2).join(" · ");
  const caption = element("p", { className: "caption" });
  if (headline) caption.append(element("strong", { textContent: headline }), element("br"));
  caption.append(notes);
  return caption;
}

async function draw(figure) {
  const drawing = figure.querySelector("[data-drawing]");
  const shows = reader(figure);
  try {
    const theme = dark.matches ? "dark" : "light";
    const address = `${figure.dataset.figure}&theme=${theme}&px=${drawing.clientWidth}`;
    const answer = await fetch(address);
    if (!answer.ok) throw new Error(`${answer.status} for ${address}`);
    const point = (handler, event, item) => {
      const datum = item?.datum;
      if (shows && datum?.image) shows.show(datum);
    };
    // A fresh element each time, so that no listener of an earlier drawing stays.
    const specification = await answer.json();
    const stage = element("div");
    drawing.replaceChildren(captionOf(specification), stage);
    // ast: expressions are interpreted, because the page's policy forbids eval.
    const { view } = await vegaEmbed(stage, specification, {
      ast: true,
      renderer: "svg",
      actions: false,
      defaultStyle: false,
      tooltip: point,
    });
    if (!shows) return;
    view.addEventListener("click", (event, item) => {
      if (!item?.datum?.image) return;
      if (event.pointerType === "touch") shows.show(item.datum);
      else if (event.ctrlKey || event.metaKey) open(shows.page(item.datum), "_blank", "noopener");
      else location.href = shows.page(item.datum);
    });
    const refresh = rove(stage, shows);
    view.addResizeListener(() => view.runAfter(refresh));
  } catch (error) {
    console.error(error);
    drawing.textContent = "The figure could not be drawn. Its data are in the table below.";
  }
}

const figures = [...document.querySelectorAll("[data-figure]")];

// Figures of one question by predictor: one is shown, the others a press away.
for (const group of document.querySelectorAll("[data-predictors]")) {
  const sections = [...group.querySelectorAll(".predictor")];
  const bar = element("div", { className: "switch" });
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "Ratings");
  const choose = (chosen) => {
    for (const [index, section] of sections.entries()) {
      section.hidden = section !== chosen;
      bar.children[index].setAttribute("aria-pressed", String(section === chosen));
    }
    const figure = chosen.querySelector("[data-figure]");
    if (!figure.dataset.drawn) {
      figure.dataset.drawn = "yes";
      draw(figure);
    }
  };
  for (const section of sections) {
    const heading = section.querySelector("h3");
    const button = element("button", { type: "button", textContent: heading.textContent });
    button.addEventListener("click", () => choose(section));
    heading.classList.add("visually-hidden");
    bar.append(button);
  }
  group.prepend(bar);
  choose(sections[0]);
}

for (const figure of figures) {
  if (figure.closest("[data-predictors]")) continue;
  figure.dataset.drawn = "yes";
  draw(figure);
}

dark.addEventListener("change", () => {
  for (const figure of figures) if (figure.dataset.drawn) draw(figure);
});
