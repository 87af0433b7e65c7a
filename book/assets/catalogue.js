// Search and filter the catalogue of losses. Without this script the page shows all of them.
(() => {
  const losses = [...document.querySelectorAll("details.loss")];
  const sections = [...document.querySelectorAll("article section section")].filter((section) => section.querySelector("details.loss"));
  const choices = {
    library: ["In any library", ["torch", "PyTorch"], ["keras", "Keras"], ["tensorflow", "TensorFlow"], ["sklearn", "scikit-learn"], ["optax", "Optax"]],
    shape: ["Of any shape", ["convex", "convex"], ["smooth", "continuous derivative"], ["bounded", "bounded gradient"], ["proper", "proper"]],
  };

  function element(tag, attributes, ...children) {
    const made = Object.assign(document.createElement(tag), attributes);
    made.append(...children);
    return made;
  }

  function chooser(name, [any, ...options]) {
    const select = element("select", { id: `loss-${name}`, name }, element("option", { value: "", textContent: any }));
    for (const [value, textContent] of options) select.append(element("option", { value, textContent }));
    select.setAttribute("aria-label", name === "library" ? "Library" : "Property");
    return select;
  }

  const word = element("input", { type: "search", id: "loss-search", placeholder: "huber, 交叉熵, BCELoss…" });
  word.setAttribute("aria-label", "Search the losses");
  const library = chooser("library", choices.library);
  const shape = chooser("shape", choices.shape);
  const count = element("p", { className: "loss-count" });
  count.setAttribute("role", "status");
  const form = element("form", { className: "loss-filter" }, word, library, shape, count);
  form.addEventListener("submit", (event) => event.preventDefault());

  function update() {
    const wanted = word.value.toLowerCase().split(/\s+/).filter(Boolean);
    let shown = 0;
    for (const loss of losses) {
      const words = loss.dataset.words.toLowerCase();
      const fits =
        wanted.every((part) => words.includes(part)) &&
        (!library.value || loss.dataset.libraries.split(" ").includes(library.value)) &&
        (!shape.value || loss.dataset.shape.split(" ").includes(shape.value));
      loss.hidden = !fits;
      shown += fits;
    }
    for (const section of sections) section.hidden = !section.querySelector("details.loss:not([hidden])");
    count.textContent = `${shown} of ${losses.length} losses`;
  }

  // a link to one loss opens it
  function unfold() {
    const loss = document.getElementById(location.hash.slice(1));
    if (loss?.matches("details.loss")) loss.open = true;
  }

  sections[0].before(form);
  form.addEventListener("input", update);
  addEventListener("hashchange", unfold);
  update();
  unfold();
})();
