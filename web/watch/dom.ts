type Child = Node | string | null | undefined | false;

/**
 * Properties of an element: functions are listeners, named as in `onclick`; booleans are attributes that are there or
 * not. While the promise of a listener is open, the element ignores the event: a double click is one click.
 */
export type Properties = Record<string, string | number | boolean | undefined | ((event: Event) => void)>;

/** Makes an element. Nothing in it is read as HTML. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K, properties: Properties = {}, ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  setProperties(element, properties);
  element.append(...children.filter((child): child is Node | string => typeof child === 'string' ||
    child instanceof Node));
  return element;
}

export function setProperties(element: Element, properties: Properties): void {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === 'function') listen(element, name.slice(2), value);
    else if (typeof value === 'boolean' && !name.startsWith('aria-')) element.toggleAttribute(name, value);
    else if (value === undefined) element.removeAttribute(name);
    else element.setAttribute(name, String(value));
  }
}

function listen(element: Element, name: string, listener: (event: Event) => void): void {
  let busy = false;
  element.addEventListener(name, (event) => {
    if (busy) return event.preventDefault(); // a form is not sent by the browser either
    const result: unknown = listener(event);
    if (!(result instanceof Promise)) return;
    busy = true;
    element.setAttribute('aria-busy', 'true');
    void result.finally(() => {
      busy = false;
      element.removeAttribute('aria-busy');
    });
  });
}

/** An item of a list: what it shows, and how its elements are made. */
export interface Item {
  key: string;
  shows: unknown;
  make: () => HTMLElement[];
}

/** A list that makes only those items again that have changed, and keeps the focus of who is at its buttons. */
export class ItemList {
  #made = new Map<string, { shows: string; elements: HTMLElement[] }>();

  constructor(private readonly element: Element) {}

  show(items: readonly Item[]): void {
    const focused = document.activeElement;
    const at = [...this.#made].find(([, { elements }]) => elements.some((element) => element.contains(focused)));
    const position = at ? focusable(at[1].elements).indexOf(focused as HTMLElement) : -1;
    const made = new Map<string, { shows: string; elements: HTMLElement[] }>();
    for (const { key, shows, make } of items) {
      const text = JSON.stringify(shows);
      const known = this.#made.get(key);
      made.set(key, known?.shows === text ? known : { shows: text, elements: make() });
    }
    this.#made = made;
    this.#place([...made.values()].flatMap(({ elements }) => elements));
    if (!at || document.activeElement === focused) return;
    const now = focusable(made.get(at[0])?.elements ?? []);
    (focused?.isConnected ? (focused as HTMLElement) : now[Math.min(position, now.length - 1)])?.focus();
  }

  /** Moves as few elements as it can: one that is moved loses the focus. */
  #place(elements: readonly HTMLElement[]): void {
    const wanted = new Set<Element>(elements);
    for (const element of [...this.element.children]) if (!wanted.has(element)) element.remove();
    let next = this.element.firstElementChild;
    for (const element of elements) {
      if (element === next) next = next.nextElementSibling;
      else this.element.insertBefore(element, next);
    }
  }
}

function focusable(elements: readonly HTMLElement[]): HTMLElement[] {
  return elements.flatMap((element) => [element, ...element.querySelectorAll<HTMLElement>('button, a')]);
}

const paths = {
  play: 'M8 5v14l11-7z',
  pause: 'M6 5h4v14H6zM14 5h4v14h-4z',
  back: 'M12 5V2L7 6l5 4V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z',
  forward: 'M12 5V2l5 4-5 4V7a5 5 0 1 0 5 5h2a7 7 0 1 1-7-7z',
  loud: 'M4 9v6h4l5 5V4L8 9zM16 8.5a5 5 0 0 1 0 7zM16 4.5v2.2a6 6 0 0 1 0 10.6v2.2a8 8 0 0 0 0-15z',
  muted: 'M4 9v6h4l5 5V4L8 9zM21 9.4 19.6 8 17.5 10.1 15.4 8 14 9.4l2.1 2.1L14 13.6l1.4 1.4 2.1-2.1 2.1 2.1 1.4-1.4-2.1-2.1z',
  captions: 'M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm2 8v2h6v-2zm8 0v2h4v-2zM6 9v2h3V9zm5 0v2h7V9z',
  whole: 'M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z',
  skip: 'M5 5v14l10-7zM16 5h3v14h-3z',
  stop: 'M6 6h12v12H6z',
  film: 'M4 4h16v16H4zm2 2v2h2V6zm10 0v2h2V6zM6 11v2h2v-2zm10 0v2h2v-2zM6 16v2h2v-2zm10 0v2h2v-2zM10 6v5h4V6zm0 7v5h4v-5z',
  send: 'M3 20V4l19 8zm2-3 10.5-5L5 7v3.5l6 1.5-6 1.5z',
  close: 'M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z',
  plus: 'M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z',
  up: 'm12 8 6 6-1.4 1.4-4.6-4.6-4.6 4.6L6 14z',
  down: 'm12 16-6-6 1.4-1.4 4.6 4.6 4.6-4.6L18 10z',
  link: 'M10 13.5a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.7 1.7 1.4 1.4 1.7-1.7a2 2 0 0 1 2.9 2.9l-3 3a2 2 0 0 1-3-.2zM14 10.5a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.7-1.7-1.4-1.4-1.7 1.7a2 2 0 0 1-2.9-2.9l3-3a2 2 0 0 1 3 .2z',
  gear: 'M10 2h4l.6 2.8 1.8.9 2.7-1 2 3.4-2.1 1.9v2l2.1 1.9-2 3.4-2.7-1-1.8.9L14 22h-4l-.6-2.8-1.8-.9-2.7 1-2-3.4L5 14v-2L2.9 10.1l2-3.4 2.7 1 1.8-.9zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z',
  reply: 'M10 9V5l-7 7 7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z',
  edit: 'M4 16.5V20h3.5L18 9.5 14.5 6zM20.7 6.8a1 1 0 0 0 0-1.400l-2.1-2.1a1 1 0 0 0-1.400 0L15.5 5 19 8.5z',
  flag: 'M6 3h2v1h11l-2 4.5 2 4.5H8v8H6z',
  invite: 'M9 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0 2c-3 0-7 1.5-7 4.5V20h14v-1.5c0-3-4-4.5-7-4.5zM18 11V8h-2v3h-3v2h3v3h2v-3h3v-2z',
  more: 'M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4z',
  calendar: 'M7 2h2v2h6V2h2v2h3a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h3zM5 9v10h14V9zm2 2h4v4H7z',
  vote: 'M12 3 5 11h4v9h6v-9h4z',
};
export type Icon = keyof typeof paths;

export function icon(name: Icon): SVGSVGElement {
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  setProperties(svg, { viewBox: '0 0 24 24', class: 'icon', 'aria-hidden': 'true', focusable: 'false' });
  const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  path.setAttribute('d', paths[name]);
  svg.append(path);
  return svg;
}

/** A button with an icon, and a name for those who do not see it. */
export function iconButton(name: Icon, label: string, properties: Properties = {}): HTMLButtonElement {
  return el('button', { type: 'button', class: 'icon-button', 'aria-label': label, title: label, ...properties },
    icon(name));
}

/** Changes what a button of `iconButton` shows and says. */
export function relabel(button: HTMLButtonElement, name: Icon, label: string): void {
  if (button.getAttribute('aria-label') === label) return;
  button.replaceChildren(icon(name));
  setProperties(button, { 'aria-label': label, title: label });
}

/** Sets a text, unless it is there: so that screen readers hear changes only. */
export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** A field of a form with its label. */
export function field(label: string, input: HTMLElement, hint?: string): HTMLLabelElement {
  return el('label', { class: 'field' }, el('span', { class: 'label' }, label), input, hint && el('span', {
    class: 'hint' }, hint));
}

/** Closes all dialogs: they belong to the page that is left. */
export function closeDialogs(): void {
  for (const dialog of document.querySelectorAll('dialog')) dialog.close();
}

/** Opens a dialog. It is gone once it is closed. */
export function openDialog(label: string, properties: Properties, ...children: Child[]): HTMLDialogElement {
  const dialog = el('dialog', { 'aria-label': label, onclose: () => dialog.remove(), ...properties }, ...children);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

let toastTimer: ReturnType<typeof setTimeout> | undefined;

/** Says something for some seconds. */
export function toast(text: string): void {
  const element = document.querySelector<HTMLElement>('#toast');
  if (!element) return;
  if (element.matches(':popover-open')) element.hidePopover();
  element.showPopover(); // anew, so that it is above a dialog that was opened meanwhile
  element.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    element.textContent = '';
    element.hidePopover();
  }, 6_000);
}
