// Of the layers, those that some chosen set does not keep cannot be chosen; the name that an
// empty field stands for is shown in it. Without this file the server says both after sending.
"use strict";

const form = document.querySelector("[data-scan-form]");
const layersOf = JSON.parse(document.getElementById("layers-of-sets").textContent);
const field = (name) => form.elements.namedItem(name);
const words = (name) => field(name).selectedOptions[0]?.textContent ?? "";

function refresh() {
  const chosen = [field("background").value];
  for (const box of form.querySelectorAll("input[type=checkbox]:checked")) chosen.push(box.value);
  const kept = chosen.filter((key) => key in layersOf).map((key) => layersOf[key]);
  const options = [...field("layer").options];
  for (const option of options) {
    option.disabled = !kept.every((layers) => layers.includes(option.value));
  }
  if (field("layer").selectedOptions[0]?.disabled) {
    const first = options.find((option) => !option.disabled);
    if (first) field("layer").value = first.value;
  }
  const name = `${words("layer")}, ${words("tail").toLowerCase()} tail, ${words("statistic")}`;
  field("name").placeholder = name;
}

form.addEventListener("change", refresh);
refresh();
