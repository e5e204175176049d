// What a page can try on another origin; run in a page of that, and for comparison in one of our own. Each gives {what was tried: what came of it}.
'use strict';

const soon = (ms, value) => new Promise(go => setTimeout(() => go(value), ms));
const within = promise => Promise.race([promise.catch(() => 'refused'), soon(8000, 'nothing')]);

async function all(tries) {
  const found = {};
  await Promise.all(Object.entries(tries).map(async ([name, begin]) => { found[name] = await within(begin()); }));
  return found;
}

function tag(name, attribute, url, more = {}) {
  const element = Object.assign(document.createElement(name), more, { [attribute]: url });
  return new Promise(go => {
    element.onload = () => go('loaded');
    element.onloadeddata = () => go('loaded');
    element.onerror = () => go('refused');
    document.body.append(element);
  });
}

// A frame says `load` also where it shows that nothing came: what counts is whether something can be read in it.
async function frame(name, attribute, url) {
  const element = Object.assign(document.createElement(name), { [attribute]: url });
  document.body.append(element);
  await soon(1500);
  const inside = element.contentDocument || (element.getSVGDocument && element.getSVGDocument());
  return inside && inside.body && inside.body.innerText.trim() ? 'read' : 'refused';
}

async function opened(url) {
  const other = window.open(url);
  await soon(1500);
  try {
    return other.document.body.innerText.trim() ? 'read' : 'refused';
  } catch {
    return other.closed ? 'cut off' : 'refused';
  } finally {
    other.postMessage({ act: 'logout' }, '*');
    other.close();
  }
}

function xhr(method, url, type, body, headers = {}) {
  return new Promise((go, no) => {
    const request = new XMLHttpRequest();
    request.open(method, url);
    request.withCredentials = true;
    if (type) request.setRequestHeader('content-type', type);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.onload = () => go(`read ${request.status}`);
    request.onerror = no;
    request.send(body);
  });
}

const read = async answer => answer.type === 'opaque' ? 'opaque' : (await answer.text(), `read ${answer.status}`);

function reads(base, paths, streams, sockets) {
  const tries = {};
  for (const path of paths) {
    const url = base + path;
    tries[`fetch ${path}`] = () => fetch(url).then(read);
    tries[`fetch with cookies ${path}`] = () => fetch(url, { credentials: 'include' }).then(read);
    tries[`fetch as if not read ${path}`] = () => fetch(url, { credentials: 'include', mode: 'no-cors' }).then(read);
    tries[`fetch with a header ${path}`] = () => fetch(url, { credentials: 'include', headers: { 'x-mine': '1' } }).then(read);
    tries[`xhr ${path}`] = () => xhr('GET', url);
    tries[`image ${path}`] = () => tag('img', 'src', url);
    tries[`script ${path}`] = () => tag('script', 'src', url);
    tries[`style ${path}`] = () => tag('link', 'href', url, { rel: 'stylesheet' });
    tries[`video ${path}`] = () => tag('video', 'src', url);
    tries[`object ${path}`] = () => frame('object', 'data', url);
    tries[`embed ${path}`] = () => frame('embed', 'src', url);
    tries[`frame ${path}`] = () => frame('iframe', 'src', url);
  }
  for (const path of streams) {
    tries[`stream ${path}`] = () => new Promise(go => {
      const source = new EventSource(base + path, { withCredentials: true });
      source.onopen = () => { source.close(); go('opened'); };
      source.onerror = () => { source.close(); go('refused'); };
    });
  }
  for (const path of sockets) {
    tries[`socket ${path}`] = () => new Promise(go => {
      const socket = new WebSocket(base.replace('https:', 'wss:') + path);
      socket.onopen = () => { socket.close(); go('opened'); };
      socket.onerror = () => go('refused');
    });
  }
  return all(tries);
}

// One form into a frame that nobody sees.
function form(action, enctype, fields, method = 'POST') {
  const name = `f${Math.random()}`;
  const into = Object.assign(document.createElement('iframe'), { name, hidden: true });
  const element = Object.assign(document.createElement('form'), { action, method, enctype, target: name });
  for (const [key, value] of Object.entries(fields)) {
    element.append(Object.assign(document.createElement('input'), { name: key, value }));
  }
  document.body.append(into, element);
  return new Promise(go => {
    into.onload = () => go('sent');
    HTMLFormElement.prototype.submit.call(element);
  });
}

// `rows`: [method, path, body, headers, whether it is a page's form]. Each in every way by which a page can send something.
function changes(base, rows) {
  const tries = {};
  for (const [method, path, body, headers] of rows) {
    const url = base + path, text = JSON.stringify(body);
    const what = `${method} ${path}`;
    const cookies = { credentials: 'include' };
    tries[`json ${what}`] = () => fetch(url, { ...cookies, method, body: text, headers: { 'content-type': 'application/json', ...headers } }).then(read);
    tries[`xhr ${what}`] = () => xhr(method, url, 'application/json', text, headers);
    // What goes without a preflight.
    for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
      tries[`${type} ${what}`] = () => fetch(url, { ...cookies, method: 'POST', mode: 'no-cors', body: text, headers: { 'content-type': type } }).then(read);
    }
    tries[`blob ${what}`] = () => fetch(url, { ...cookies, method: 'POST', mode: 'no-cors', body: new Blob([text], { type: 'application/json' }) }).then(read);
    tries[`beacon ${what}`] = async () => navigator.sendBeacon(url, new Blob([text], { type: 'text/plain' })) ? 'sent' : 'refused';
    tries[`look ${what}`] = () => fetch(`${url}?_method=${method}`, { ...cookies, mode: 'no-cors' }).then(read);
    tries[`look with a body ${what}`] = () => fetch(`${url}?${new URLSearchParams(body)}`, { ...cookies, mode: 'no-cors' }).then(read);
    tries[`other method ${what}`] = () => fetch(url, { ...cookies, method: 'POST', body: text, headers: { 'content-type': 'application/json', 'x-http-method-override': method, ...headers } }).then(read);
  }
  return all(tries);
}

function forms(base, rows) {
  const tries = {};
  for (const [method, path, body] of rows) {
    const url = base + path, what = `${method} ${path}`;
    const fields = Object.fromEntries(Object.entries(body).map(([key, value]) => [key, String(value)]));
    tries[`form ${what}`] = () => form(url, 'application/x-www-form-urlencoded', { ...fields, _method: method });
    tries[`files ${what}`] = () => form(url, 'multipart/form-data', { ...fields, _method: method });
    // JSON in a form: its `=` becomes part of a text.
    tries[`json in a form ${what}`] = () => form(url, 'text/plain', { [`${JSON.stringify(body).slice(0, -1)},"x":"`]: '"}' });
    tries[`looking form ${what}`] = () => form(url, 'application/x-www-form-urlencoded', { ...fields, _method: method }, 'GET');
  }
  return all(tries);
}

// One row, once, as our own pages do it; a way to the login is no success.
async function one(base, [method, path, body, headers, isForm]) {
  const sent = isForm ? { body: new URLSearchParams(body) } : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
  const answer = await fetch(base + path, { method, ...sent });
  if (new URL(answer.url).pathname === '/login') return 'sent to the login';
  const text = await answer.text();
  return answer.ok ? `read ${answer.status}` : `read ${answer.status}: ${text}`;
}
