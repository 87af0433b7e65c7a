// Draw the interactive figures of a page. On a narrow screen charts that stand side by side stand one below the other.
(() => {
  const AXIS = 76; // pixels that an axis with its labels takes beside the drawing
  const NARROW = 560;

  function fitted(spec, width) {
    const result = structuredClone(spec);
    const charts = result.hconcat ?? result.vconcat ?? [result];
    const columns = result.hconcat && width >= NARROW ? charts.length : 1;
    for (const chart of charts) chart.width = Math.max(120, Math.floor(width / columns) - AXIS);
    if (result.hconcat && columns === 1) {
      result.vconcat = result.hconcat;
      delete result.hconcat;
    }
    return result;
  }

  async function draw(figure) {
    const spec = JSON.parse(figure.querySelector("script").textContent);
    const place = figure.querySelector(".vega-drawing");
    const names = (spec.params ?? []).filter((param) => param.bind?.input).map((param) => param.name);
    let drawn = 0;
    let result = null;

    async function update() {
      const style = getComputedStyle(figure);
      const width = figure.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
      if (Math.abs(width - drawn) < 8) return;
      drawn = width;
      const next = fitted(spec, width);
      for (const param of next.params ?? []) {
        // a turned phone keeps what the reader has set
        if (result && names.includes(param.name)) param.value = result.view.signal(param.name);
      }
      result?.finalize();
      result = await vegaEmbed(place, next, {
        actions: false,
        mode: "vega-lite",
        renderer: "svg",
        config: {
          background: "transparent",
          font: getComputedStyle(document.body).fontFamily,
          axis: { labelFontSize: 12, titleFontSize: 13, gridColor: "#dddddd" },
          legend: { labelFontSize: 12, titleFontSize: 13, orient: "top" },
        },
      });
      // the group around it has said already what is to be seen
      ["role", "aria-label", "aria-roledescription"].forEach((name) => place.removeAttribute(name));
      place.querySelector("svg").setAttribute("aria-hidden", "true");
    }

    await update();
    new ResizeObserver(update).observe(figure);
  }

  document.querySelectorAll(".vega-figure").forEach(draw);
})();
