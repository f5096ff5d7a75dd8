// Adds a search for operations, and forms to try them, to the page of the contract.
'use strict';

const server = document.body.dataset.server;
const token = document.querySelector('#token');

for (const part of document.querySelectorAll('.needs-script')) part.hidden = false;

// The token lives as long as the tab, and survives a reload.
token.value = sessionStorage.getItem('token') ?? '';
token.addEventListener('input', keepToken);

function keepToken() {
  sessionStorage.setItem('token', token.value.trim());
}

// Each operation has an entry in the list of its group.
const operations = [...document.querySelectorAll('article[data-find]')].map((article) => {
  const entry = document.querySelector(`nav a[href="#${article.id}"]`).parentElement;
  return { article, entry, group: entry.closest('details') };
});

document.querySelector('#find').addEventListener('input', (event) => {
  const words = event.target.value.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Set();
  let found = 0;
  for (const { article, entry, group } of operations) {
    const fits = words.every((word) => article.dataset.find.includes(word));
    article.hidden = entry.hidden = !fits;
    if (!fits) continue;
    found++;
    groups.add(group);
  }
  for (const group of document.querySelectorAll('nav details')) {
    group.open = words.length > 0 && groups.has(group);
    group.parentElement.hidden = !groups.has(group);
  }
  document.querySelector('#found').textContent = words.length > 0 ? `${found} found` : '';
});

for (const form of document.querySelectorAll('form[data-path]')) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const result = form.querySelector('.result');
    result.replaceChildren('One moment…');
    try {
      await show(result, await send(form));
    } catch (error) {
      result.replaceChildren(String(error));
    }
  });
}

async function send(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const init = { method: form.dataset.method, headers: {} };
  if (token.value) init.headers.Authorization = 'Bearer ' + token.value.trim();
  for (const field of form.elements) {
    const [where, name] = field.name.split(' ');
    if (where === 'file') {
      init.body = new FormData();
      init.body.append(name, field.files[0]);
    } else if (where === 'body') {
      init.headers['Content-Type'] = field.dataset.type;
      init.body = field.value;
    } else if (where === 'path') {
      path = path.replace(`{${name}}`, encodeURIComponent(field.value));
    } else if (where === 'query' && field.value !== '') {
      query.set(name, field.value);
    } else if (where === 'header' && field.value !== '') {
      init.headers[name] = field.value;
    }
  }
  return fetch(server + path + (query.size > 0 ? '?' + query : ''), init);
}

async function show(result, response) {
  const status = document.createElement('p');
  const text = document.createElement('pre');
  status.textContent = `${response.status} ${response.statusText}`;
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  text.textContent = headers + '\n\n' + (await readBody(response));
  result.replaceChildren(status, text);
}

async function readBody(response) {
  const type = response.headers.get('Content-Type') ?? '';
  if (!/json|yaml|text/.test(type)) return type && `${(await response.blob()).size} bytes`;
  const body = await response.text();
  if (!/json/.test(type) || body === '') return body;
  const value = JSON.parse(body);
  if (value.data?.access_token) {
    token.value = value.data.access_token;
    keepToken();
  }
  return JSON.stringify(value, null, 2);
}
