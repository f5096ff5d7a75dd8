import { closeDialogs, el } from './dom.js';
import { showLobby } from './lobby.js';
import { type ShownRoom, showRoom } from './room.js';
import { api, onSignedOut } from './session.js';
import { signIn } from './signin.js';

const main = document.querySelector('main')!;
const account = document.querySelector('#account')!;
let shown: ShownRoom | undefined;
/** Counts the pages that were requested. */
let turn = 0;

/** Shows the page of the address, in an element of its own: what comes late for an earlier page is not seen. */
async function show(reason?: string): Promise<void> {
  const mine = ++turn;
  shown?.leave();
  shown = undefined;
  closeDialogs();
  document.title = 'WatchParty';
  const page = el('div', { class: 'sheet' });
  main.replaceChildren(page);
  if (!(await api.isSignedIn())) {
    account.replaceChildren();
    await signIn(page, reason);
    if (mine !== turn) return;
  }
  void showAccount();
  const roomID = new URLSearchParams(location.search).get('room');
  if (!roomID) return showLobby(page, enter);
  const room = await showRoom(page, roomID, { exit, again: () => void show() });
  if (mine === turn) shown = room;
  else room?.leave();
}

async function showAccount(): Promise<void> {
  const name = el('span', { class: 'line' });
  account.replaceChildren(name, el('button', {
    type: 'button', class: 'plain', onclick: () => api.signOut().catch(() => undefined).then(() => show()),
  }, 'Sign out'));
  try {
    const { data } = await api.GET('/users/me');
    name.textContent = data.data.display_name;
  } catch {
    // The page says what is wrong.
  }
}

function enter(roomID: string): void {
  history.pushState(null, '', `?room=${encodeURIComponent(roomID)}`);
  void show();
}

function exit(): void {
  history.pushState(null, '', location.pathname);
  void show();
}

document.querySelector('#home')?.addEventListener('click', (event) => {
  event.preventDefault();
  exit();
});
addEventListener('popstate', () => void show());
onSignedOut(() => void show('Your sign-in has ended. Sign in again.'));
void show();
