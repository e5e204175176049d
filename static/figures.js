// What a container uses, as the engine counts it about once a second: a number and a line of the last minute, asked for only while they are seen.
(() => {
  // Those of one container, until another has taken its place; gives what ends it.
  const begin = (box) => {
    const KEPT = 60;
    const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
    // As the page's language writes it. The browser's own formats would take a telephone 60 ms before the first number is there.
    const number = (value, digits) => {
      const [whole, part] = String(Number(value.toFixed(digits))).split('.');
      return whole.replace(/\B(?=(\d{3})+$)/g, box.dataset.group) + (part ? box.dataset.point + part : '');
    };
    const bytes = (value) => {
      let at = 0;
      while (value >= 1024 && at < units.length - 1) { value /= 1024; at += 1; }
      return `${number(value, value < 10 && at > 0 ? 1 : 0)} ${units[at]}`;
    };
    const of = (now, most) => box.dataset.of.replace('%n', now).replace('%a', most);
    const limits = { memory: Number(box.dataset.memory), cpus: Number(box.dataset.cpus), pids: Number(box.dataset.pids) };
    const rows = {};
    for (const row of box.querySelectorAll('[data-figure]')) {
      rows[row.dataset.figure] = { word: row.querySelector('dt').textContent, now: row.querySelector('.now'), svg: row.querySelector('svg'), path: row.querySelector('path'), all: [] };
    }

    // `say`: the value in words; `whole`: what the top of the line is, at least.
    const draw = (row, value, words, say, whole = 0) => {
      row.all.push(value);
      if (row.all.length > KEPT) row.all.shift();
      row.now.textContent = words;
      const most = Math.max(...row.all);
      const top = Math.max(most, whole) || 1;
      const step = 120 / (KEPT - 1);
      const start = 120 - (row.all.length - 1) * step;
      row.path.setAttribute('d', row.all.map((one, at) => `${at ? 'L' : 'M'}${(start + at * step).toFixed(1)} ${(31 - (one / top) * 29).toFixed(1)}`).join(''));
      row.svg.setAttribute('aria-label', box.dataset.minute.replace('%w', row.word).replace('%n', words).replace('%m', say(most)));
    };
    let before = null;
    const show = (now) => {
      const percent = (value) => `${number(value, value < 10 ? 1 : 0)} %`;
      draw(rows.cpu, now.cpu_percent, limits.cpus ? of(percent(now.cpu_percent), percent(limits.cpus * 100)) : percent(now.cpu_percent), percent, limits.cpus * 100 || 10);
      draw(rows.memory, now.memory, now.memory_limit ? of(bytes(now.memory), bytes(limits.memory || now.memory_limit)) : bytes(now.memory), bytes, limits.memory);
      draw(rows.pids, now.processes, limits.pids ? of(number(now.processes, 0), number(limits.pids, 0)) : number(now.processes, 0), (n) => number(n, 0), limits.pids);
      const seconds = before && (new Date(now.at) - new Date(before.at)) / 1000;
      if (seconds > 0) {
        const rate = (value) => `${bytes(value)}/s`;
        const per = (key) => Math.max(0, now[key] - before[key]) / seconds;
        draw(rows.network, per('received') + per('sent'), `${rate(per('received'))}, ${rate(per('sent'))}`, rate);
        draw(rows.disk, per('read') + per('written'), `${rate(per('read'))}, ${rate(per('written'))}`, rate);
      }
      before = now;
    };

    let source = null;
    let seen = false;
    let later;
    const stop = () => { source?.close(); source = null; clearTimeout(later); };
    const go = () => {
      if (source || !seen || document.hidden) return;
      source = new EventSource(box.dataset.stream);
      source.addEventListener('stats', (event) => show(JSON.parse(event.data)));
      // It has ended, or the line is lost: the page says which.
      source.onerror = () => { stop(); later = setTimeout(go, 5_000); };
    };
    const observer = new IntersectionObserver((entries) => {
      seen = entries.some((entry) => entry.isIntersecting);
      if (seen) go(); else stop();
    });
    observer.observe(box);
    const turn = () => { if (document.hidden) stop(); else go(); };
    document.addEventListener('visibilitychange', turn);
    return () => {
      stop();
      observer.disconnect();
      document.removeEventListener('visibilitychange', turn);
    };
  };

  let shown = null;
  let end = () => {};
  const look = () => {
    const box = document.getElementById('figures');
    if (box === shown) return;
    end();
    shown = box;
    end = box ? begin(box) : () => {};
  };
  look();
  document.body.addEventListener('htmx:oobAfterSwap', look);
})();
