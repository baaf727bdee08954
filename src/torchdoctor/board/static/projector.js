// A point of the projector shows its sample: under the mouse, when it is clicked, or one after another by the buttons.

export function listen(samples, charts) {
  const panel = document.getElementById("shown");
  const places = new Map(); // sample -> [chart, series, index]
  let here = -1;

  function show(sample) {
    const one = samples[sample];
    if (!one) return;
    here = sample;
    const caption = document.createElement("p");
    caption.textContent = one.truth === one.guess ? one.truth : `${one.truth} → ${one.guess}`;
    const name = Object.assign(document.createElement("p"), { className: "quiet", textContent: one.name });
    const picture = one.picture ? Object.assign(new Image(), { src: one.picture, alt: `${one.name}, ${one.truth}` })
      : Object.assign(document.createElement("code"), { textContent: one.row ?? "" });
    panel.replaceChildren(picture, caption, name);
    for (const chart of charts) chart.dispatchAction({ type: "downplay" });
    for (const [chart, seriesIndex, dataIndex] of places.get(sample) ?? []) chart.dispatchAction({ type: "highlight", seriesIndex, dataIndex });
  }

  for (const chart of charts) {
    chart.getOption().series.forEach((series, seriesIndex) => series.data.forEach((point, dataIndex) => {
      if (!places.has(point.sample)) places.set(point.sample, []);
      places.get(point.sample).push([chart, seriesIndex, dataIndex]);
    }));
    for (const event of ["mouseover", "click"]) chart.on(event, ({ data }) => show(data?.sample));
  }
  document.getElementById("next").addEventListener("click", () => show((here + 1) % samples.length));
  document.getElementById("previous").addEventListener("click", () => show((here - 1 + samples.length) % samples.length));
}
