/**
 * What both pages do: take the token out of the address (the part behind `#` never reaches a server, and leaves the
 * history here), and spend it once its owner presses the button. Never by itself: programs that check mails for harm
 * open links and run scripts, and would use it up.
 */
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname + location.search);

const form = document.querySelector('form');
const button = form.querySelector('button');
const outcome = document.getElementById('status');
const password = document.getElementById('password');
const passwordProblem = document.getElementById('password-problem');

function textOf(message) {
  return document.querySelector(`template[data-message="${message}"]`).content.textContent;
}

function say(message, kind = '') {
  outcome.className = kind;
  outcome.textContent = message ? textOf(message) : '';
}

/** Nothing is left to do here: the form goes, and the focus that was in it moves to the outcome. */
function end(message, kind) {
  form.hidden = true;
  say(message, kind);
  outcome.focus();
}

function complainAboutPassword(message) {
  passwordProblem.textContent = message ? textOf(message) : '';
  if (!message) return password.removeAttribute('aria-invalid');
  password.setAttribute('aria-invalid', 'true');
  password.focus();
}

/** No `maxlength` in the page: the browser would cut what is pasted, and nobody would know the password. */
function problemWithPassword() {
  const length = [...password.value].length;
  if (length < password.minLength) return 'tooShort';
  return length > Number(password.dataset.maxlength) ? 'tooLong' : '';
}

async function send() {
  try {
    const response = await fetch(form.dataset.endpoint, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ token, password: password.value }),
    });
    return response.ok ? { status: response.status } : { status: response.status, ...(await response.json()) };
  } catch {
    return { status: 0 }; // no connection, or an answer that isn't the service's
  }
}

function show({ status, code, errors = [] }) {
  if (status === 204) return end('done', 'success');
  // A token that isn't even one in form is refused with the name of its field.
  if (code === 'INVALID_TOKEN' || errors.some(({ field }) => field === 'token')) return end('invalidToken', 'problem');
  if (code === 'INVALID_CREDENTIALS' || errors.some(({ field }) => field === 'password')) {
    say('');
    return complainAboutPassword('refused');
  }
  say(status === 429 ? 'tooMany' : 'failed', 'problem');
}

async function submit(event) {
  event.preventDefault();
  if (button.getAttribute('aria-disabled') === 'true') return;
  const problem = problemWithPassword();
  complainAboutPassword(problem);
  if (problem) return;
  // Not `disabled`, which would take the focus away.
  button.setAttribute('aria-disabled', 'true');
  say('busy');
  const answer = await send();
  button.removeAttribute('aria-disabled');
  show(answer);
}

document.getElementById('show-password').addEventListener('change', ({ target }) => {
  password.type = target.checked ? 'text' : 'password';
});
form.addEventListener('submit', submit);
if (token) form.hidden = false;
else end('missingToken', 'problem');
