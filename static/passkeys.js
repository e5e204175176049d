// Passkeys: what a page cannot do without a script. It asks the browser for a key, and takes the browser's answer to the server.
// [data-passkey="login"] is a button that signs in, [data-passkey="make"] a form that makes a key; both stay hidden without this.
'use strict';

const bytes = text => Uint8Array.from(atob(text.replace(/-/g, '+').replace(/_/g, '/')), c => c.charCodeAt(0));
const text = buffer => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, '-').replace(/\//g, '_').replace(/=+$/, '');

async function call(path, body) {
  const answer = await fetch(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', accept: 'application/json' },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (answer.ok) return said;
  const sentence = s => s.charAt(0).toUpperCase() + s.slice(1);
  throw new Error([said.error.title, ...said.error.hints].map(sentence).join('. ') + '.');
}

function tell(near, words) {
  const place = near.parentElement.querySelector('[data-passkey="told"]');
  place.textContent = words;
  place.hidden = !words;
}

// What the browser's own refusals mean for a person, in the words that the page came with.
function explain(error, { none, there }) {
  if (error.name === 'NotAllowedError') return none;
  if (error.name === 'InvalidStateError') return there;
  return error.message || String(error);
}

async function login(button) {
  const { ticket, options } = await call('/api/v1/auth/passkeys/login/begin', {});
  options.challenge = bytes(options.challenge);
  options.allowCredentials = [];
  const key = await navigator.credentials.get({ publicKey: options });
  const { next } = await call('/api/v1/auth/passkeys/login', {
    ticket,
    next: button.dataset.next || '/',
    credential: {
      id: key.id,
      rawId: text(key.rawId),
      type: key.type,
      extensions: {},
      response: {
        authenticatorData: text(key.response.authenticatorData),
        clientDataJSON: text(key.response.clientDataJSON),
        signature: text(key.response.signature),
        userHandle: key.response.userHandle ? text(key.response.userHandle) : null,
      },
    },
  });
  // As the server said it: never what stands in the page's address.
  location.assign(next);
}

async function make(form) {
  const password = form.elements.password ? form.elements.password.value : '';
  const { ticket, options } = await call('/api/v1/auth/passkeys/begin', password ? { password } : {});
  options.challenge = bytes(options.challenge);
  options.user.id = bytes(options.user.id);
  options.excludeCredentials = (options.excludeCredentials || []).map(one => ({ ...one, id: bytes(one.id) }));
  const key = await navigator.credentials.create({ publicKey: options });
  await call('/api/v1/auth/passkeys', {
    ticket,
    name: form.elements.name.value,
    credential: {
      id: key.id,
      rawId: text(key.rawId),
      type: key.type,
      extensions: {},
      response: {
        attestationObject: text(key.response.attestationObject),
        clientDataJSON: text(key.response.clientDataJSON),
        transports: key.response.getTransports ? key.response.getTransports() : null,
      },
    },
  });
  location.reload();
}

async function during(element, work) {
  const buttons = element.matches('button') ? [element] : [...element.querySelectorAll('button')];
  tell(element, '');
  buttons.forEach(button => { button.disabled = true; });
  try {
    await work(element);
  } catch (error) {
    tell(element, explain(error, element.dataset));
  } finally {
    buttons.forEach(button => { button.disabled = false; });
  }
}

if (window.PublicKeyCredential) {
  for (const element of document.querySelectorAll('[data-passkey="login"], [data-passkey="make"]')) {
    element.hidden = false;
    if (element.dataset.passkey === 'login') element.addEventListener('click', () => during(element, login));
    else element.addEventListener('submit', event => { event.preventDefault(); during(element, make); });
  }
}
