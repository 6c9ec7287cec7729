// What all our components share: ECharts from this server, colours by name, files to save, the month that is shown.
// Light or dark as the device has it, until somebody chooses.
if (!localStorage.getItem(':solara:theme.variant')) localStorage.setItem(':solara:theme.variant', '"auto"');
window.madang = (function () {
  const moves = new Map();   // stamp of a slider move -> when it was made
  const drawn = [];          // {chart, stamp, at}: what was drawn for which move, for the latency benchmark
  let loading = null;

  function echarts() {
    if (!loading) {
      loading = new Promise((resolve, reject) => {
        const start = () => {
          if (!window.requirejs || !window.solara) { setTimeout(start, 20); return; }
          window.requirejs([window.solara.cdn + '/echarts@5.4.0/dist/echarts.min.js'], resolve, reject);
        };
        start();
      });
    }
    return loading;
  }

  function colours() {
    const root = document.querySelector('.v-application') || document.body;
    const style = getComputedStyle(root);
    return (name) => (style.getPropertyValue('--' + name) || '#888').trim();
  }

  function themed(node, colour) {
    if (typeof node === 'string') return node.charAt(0) === '@' ? colour(node.slice(1)) : node;
    if (Array.isArray(node)) return node.length && typeof node[0] === 'number' ? node : node.map((one) => themed(one, colour));
    if (node && typeof node === 'object') {
      const found = {};
      for (const key in node) found[key] = themed(node[key], colour);
      return found;
    }
    return node;
  }

  // Making a number format takes longer than using it.
  const formats = new Map();
  function digits(value, least, most) {
    const key = least + ':' + most;
    if (!formats.has(key)) formats.set(key, new Intl.NumberFormat('en-US', { minimumFractionDigits: least, maximumFractionDigits: most }));
    return formats.get(key).format(value);
  }

  function say(value) {
    if (value === null || value === undefined || Number.isNaN(value)) return '–';
    const size = Math.abs(value);
    return digits(value, 0, size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.01 ? 2 : 4);
  }

  // Finish an option: fonts, axes and formatters, once for all charts.
  function finished(option, colour) {
    const made = themed(option, colour);
    const asked = made.madang || {};
    delete made.madang;
    const font = getComputedStyle(document.querySelector('.v-application') || document.body).fontFamily;
    const text = { color: colour('quiet'), fontSize: 13, fontFamily: font };
    made.textStyle = { fontFamily: font };
    made.animation = false;
    if (made.legend) {
      made.legend = Object.assign({ textStyle: { color: colour('ink'), fontSize: 13 }, type: 'scroll', icon: 'roundRect' }, made.legend);
    }
    if (made.tooltip) {
      made.tooltip = Object.assign({
        backgroundColor: colour('card'), borderColor: colour('faint'),
        textStyle: { color: colour('ink'), fontSize: 13 },
        valueFormatter: (value) => say(Array.isArray(value) ? value[value.length - 1] : value) + (asked.unit ? ' ' + asked.unit : ''),
      }, made.tooltip);
    }
    for (const side of ['xAxis', 'yAxis']) {
      if (!made[side]) continue;
      const axis = made[side];
      axis.axisLabel = Object.assign({}, text, axis.axisLabel);
      axis.axisLine = { lineStyle: { color: colour('faint') } };
      axis.axisTick = { show: false };
      axis.splitLine = { show: axis.type === 'value', lineStyle: { color: colour('wash') } };
      if (axis.type === 'value' && !asked.years) axis.axisLabel.formatter = say;
    }
    if (asked.months && made.xAxis) {
      const many = made.xAxis.data.length > 72;
      made.xAxis.axisLabel.interval = (at, label) => label.slice(5) === '01' && (!many || Number(label.slice(0, 4)) % 2 === 1);
      made.xAxis.axisLabel.formatter = (label) => label.slice(0, 4);
    }
    if (asked.years && made.xAxis) {
      made.xAxis.axisLabel.formatter = (value) => String(value);
      made.xAxis.splitLine.show = true;
    }
    return made;
  }

  function save(name, content, type) {
    const link = document.createElement('a');
    const url = typeof content === 'string' && content.startsWith('data:') ? content
      : URL.createObjectURL(new Blob([content], { type: type || 'text/plain;charset=utf-8' }));
    link.href = url;
    link.download = name;
    document.body.appendChild(link);
    link.click();
    link.remove();
    if (url.startsWith('blob:')) setTimeout(() => URL.revokeObjectURL(url), 10000);
  }

  // A picture of a chart with its title above and where it comes from below.
  function picture(chart, title, source, name) {
    const colour = colours();
    const image = new Image();
    image.onload = () => {
      const pad = 48, head = 92, foot = 56;
      const canvas = document.createElement('canvas');
      canvas.width = image.width + 2 * pad;
      canvas.height = image.height + head + foot;
      const pen = canvas.getContext('2d');
      pen.fillStyle = colour('card');
      pen.fillRect(0, 0, canvas.width, canvas.height);
      const font = getComputedStyle(document.body).fontFamily;
      pen.fillStyle = colour('ink');
      pen.font = '600 34px ' + font;
      pen.fillText(title, pad, 60, canvas.width - 2 * pad);
      pen.drawImage(image, pad, head);
      pen.fillStyle = colour('quiet');
      pen.font = '22px ' + font;
      pen.fillText(source, pad, canvas.height - 22, canvas.width - 2 * pad);
      save(name, canvas.toDataURL('image/png'));
    };
    image.src = chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor: colour('card') });
  }

  // A value that components follow until they leave.
  function followed() {
    const all = new Set();
    return { tell(value) { all.forEach((one) => one(value)); }, follow(one) { all.add(one); return () => all.delete(one); } };
  }

  const month = Object.assign(followed(), {
    at: 0,
    show(at) { month.at = at; month.tell(at); },
  });

  // Slider moves are numbered for as long as the page lives, so that answers can be told apart.
  const moved = Object.assign(followed(), {
    stamp: 0,
    now() {
      moved.stamp += 1;
      moves.set(moved.stamp, performance.now());
      if (moves.size > 4000) moves.delete(moves.keys().next().value);
      moved.tell(moved.stamp);
      return moved.stamp;
    },
  });

  return { echarts, colours, themed, finished, digits, say, save, picture, month, moved, moves, drawn };
})();
