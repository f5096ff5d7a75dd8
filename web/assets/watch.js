// Generated from web/watch by `go generate ./web`: do not edit.

// watch/dom.ts
function el(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  setProperties(element, properties);
  element.append(...children.filter((child) => typeof child === "string" || child instanceof Node));
  return element;
}
function setProperties(element, properties) {
  for (const [name, value] of Object.entries(properties)) {
    if (typeof value === "function") listen(element, name.slice(2), value);
    else if (typeof value === "boolean" && !name.startsWith("aria-")) element.toggleAttribute(name, value);
    else if (value === void 0) element.removeAttribute(name);
    else element.setAttribute(name, String(value));
  }
}
function listen(element, name, listener) {
  let busy = false;
  element.addEventListener(name, (event) => {
    if (busy) return event.preventDefault();
    const result = listener(event);
    if (!(result instanceof Promise)) return;
    busy = true;
    element.setAttribute("aria-busy", "true");
    void result.finally(() => {
      busy = false;
      element.removeAttribute("aria-busy");
    });
  });
}
var ItemList = class {
  constructor(element) {
    this.element = element;
  }
  element;
  #made = /* @__PURE__ */ new Map();
  show(items) {
    const focused = document.activeElement;
    const at = [...this.#made].find(([, { elements }]) => elements.some((element) => element.contains(focused)));
    const position = at ? focusable(at[1].elements).indexOf(focused) : -1;
    const made = /* @__PURE__ */ new Map();
    for (const { key: key2, shows, make } of items) {
      const text = JSON.stringify(shows);
      const known = this.#made.get(key2);
      made.set(key2, known?.shows === text ? known : { shows: text, elements: make() });
    }
    this.#made = made;
    this.#place([...made.values()].flatMap(({ elements }) => elements));
    if (!at || document.activeElement === focused) return;
    const now = focusable(made.get(at[0])?.elements ?? []);
    (focused?.isConnected ? focused : now[Math.min(position, now.length - 1)])?.focus();
  }
  /** Moves as few elements as it can: one that is moved loses the focus. */
  #place(elements) {
    const wanted = new Set(elements);
    for (const element of [...this.element.children]) if (!wanted.has(element)) element.remove();
    let next = this.element.firstElementChild;
    for (const element of elements) {
      if (element === next) next = next.nextElementSibling;
      else this.element.insertBefore(element, next);
    }
  }
};
function focusable(elements) {
  return elements.flatMap((element) => [element, ...element.querySelectorAll("button, a")]);
}
var paths = {
  play: "M8 5v14l11-7z",
  pause: "M6 5h4v14H6zM14 5h4v14h-4z",
  back: "M12 5V2L7 6l5 4V7a5 5 0 1 1-5 5H5a7 7 0 1 0 7-7z",
  forward: "M12 5V2l5 4-5 4V7a5 5 0 1 0 5 5h2a7 7 0 1 1-7-7z",
  loud: "M4 9v6h4l5 5V4L8 9zM16 8.5a5 5 0 0 1 0 7zM16 4.5v2.2a6 6 0 0 1 0 10.6v2.2a8 8 0 0 0 0-15z",
  muted: "M4 9v6h4l5 5V4L8 9zM21 9.4 19.6 8 17.5 10.1 15.4 8 14 9.4l2.1 2.1L14 13.6l1.4 1.4 2.1-2.1 2.1 2.1 1.4-1.4-2.1-\
2.1z",
  captions: "M4 5h16a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1zm2 8v2h6v-2zm8 0v2h4v-2zM6 9v2h3V9zm\
5 0v2h7V9z",
  whole: "M4 4h6v2H6v4H4zM14 4h6v6h-2V6h-4zM4 14h2v4h4v2H4zM18 14h2v6h-6v-2h4z",
  skip: "M5 5v14l10-7zM16 5h3v14h-3z",
  stop: "M6 6h12v12H6z",
  film: "M4 4h16v16H4zm2 2v2h2V6zm10 0v2h2V6zM6 11v2h2v-2zm10 0v2h2v-2zM6 16v2h2v-2zm10 0v2h2v-2zM10 6v5h4V6zm0 7v5h4v-5\
z",
  send: "M3 20V4l19 8zm2-3 10.5-5L5 7v3.5l6 1.5-6 1.5z",
  close: "M6.4 5 12 10.6 17.6 5 19 6.4 13.4 12l5.6 5.6-1.4 1.4-5.6-5.6L6.4 19 5 17.6l5.6-5.6L5 6.4z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6z",
  up: "m12 8 6 6-1.4 1.4-4.6-4.6-4.6 4.6L6 14z",
  down: "m12 16-6-6 1.4-1.4 4.6 4.6 4.6-4.6L18 10z",
  link: "M10 13.5a4 4 0 0 0 6 .4l3-3a4 4 0 0 0-5.7-5.7l-1.7 1.7 1.4 1.4 1.7-1.7a2 2 0 0 1 2.9 2.9l-3 3a2 2 0 0 1-3-.2zM1\
4 10.5a4 4 0 0 0-6-.4l-3 3a4 4 0 0 0 5.7 5.7l1.7-1.7-1.4-1.4-1.7 1.7a2 2 0 0 1-2.9-2.9l3-3a2 2 0 0 1 3 .2z",
  gear: "M10 2h4l.6 2.8 1.8.9 2.7-1 2 3.4-2.1 1.9v2l2.1 1.9-2 3.4-2.7-1-1.8.9L14 22h-4l-.6-2.8-1.8-.9-2.7 1-2-3.4L5 14v-\
2L2.9 10.1l2-3.4 2.7 1 1.8-.9zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  reply: "M10 9V5l-7 7 7 7v-4.1c5 0 8.5 1.6 11 5.1-1-5-4-10-11-11z",
  edit: "M4 16.5V20h3.5L18 9.5 14.5 6zM20.7 6.8a1 1 0 0 0 0-1.400l-2.1-2.1a1 1 0 0 0-1.400 0L15.5 5 19 8.5z",
  flag: "M6 3h2v1h11l-2 4.5 2 4.5H8v8H6z",
  invite: "M9 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zm0 2c-3 0-7 1.5-7 4.5V20h14v-1.5c0-3-4-4.5-7-4.5zM18 11V8h-2v3h-3v2h3v3h2v-\
3h3v-2z",
  more: "M12 8a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4zm0 6a2 2 0 1 0 0-4 2 2 0 0 0 0 4z",
  calendar: "M7 2h2v2h6V2h2v2h3a1 1 0 0 1 1 1v15a1 1 0 0 1-1 1H4a1 1 0 0 1-1-1V5a1 1 0 0 1 1-1h3zM5 9v10h14V9zm2 2h4v4H7\
z",
  vote: "M12 3 5 11h4v9h6v-9h4z"
};
function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  setProperties(svg, { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true", focusable: "false" });
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", paths[name]);
  svg.append(path);
  return svg;
}
function iconButton(name, label, properties = {}) {
  return el(
    "button",
    { type: "button", class: "icon-button", "aria-label": label, title: label, ...properties },
    icon(name)
  );
}
function relabel(button, name, label) {
  if (button.getAttribute("aria-label") === label) return;
  button.replaceChildren(icon(name));
  setProperties(button, { "aria-label": label, title: label });
}
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
function field(label, input, hint) {
  return el("label", { class: "field" }, el("span", { class: "label" }, label), input, hint && el("span", {
    class: "hint"
  }, hint));
}
function closeDialogs() {
  for (const dialog of document.querySelectorAll("dialog")) dialog.close();
}
function openDialog(label, properties, ...children) {
  const dialog = el("dialog", { "aria-label": label, onclose: () => dialog.remove(), ...properties }, ...children);
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}
var toastTimer;
function toast(text) {
  const element = document.querySelector("#toast");
  if (!element) return;
  if (element.matches(":popover-open")) element.hidePopover();
  element.showPopover();
  element.textContent = text;
  clearTimeout(toastTimer);
  toastTimer = setTimeout(() => {
    element.textContent = "";
    element.hidePopover();
  }, 6e3);
}

// watch/answers.ts
var labels = { yes: "Yes", maybe: "Maybe", no: "No" };
var Answers = class {
  element;
  #buttons = /* @__PURE__ */ new Map();
  constructor(take, label = "Are you coming?") {
    for (const reply of Object.keys(labels)) {
      this.#buttons.set(reply, el("button", { type: "button", class: "small", onclick: () => take(reply) }));
    }
    this.element = el("div", { class: "row tight", role: "group", "aria-label": label }, ...this.#buttons.values());
  }
  show(counts, own) {
    for (const [reply, button] of this.#buttons) {
      setText(button, `${labels[reply]} (${counts[reply]})`);
      button.setAttribute("aria-pressed", String(reply === own));
    }
  }
};

// watch/format.ts
function clockTime(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1e3), 0);
  const parts = [Math.floor(seconds / 60) % 60, seconds % 60];
  const hours = Math.floor(seconds / 3600);
  if (hours > 0) parts.unshift(hours);
  return parts.map((part, i) => i === 0 ? String(part) : String(part).padStart(2, "0")).join(":");
}
function spokenTime(milliseconds) {
  const seconds = Math.max(Math.floor(milliseconds / 1e3), 0);
  const parts = [
    [Math.floor(seconds / 3600), "hour"],
    [Math.floor(seconds / 60) % 60, "minute"],
    [seconds % 60, "second"]
  ];
  const named = parts.filter(([n], i) => n > 0 || i === 2 && seconds === 0);
  return named.map(([n, unit]) => count(n, unit)).join(" ");
}
function count(n, noun) {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}
function list(names, others = 0) {
  const all = others > 0 ? [...names, count(others, "other")] : [...names];
  const last = all.pop() ?? "";
  return all.length > 0 ? `${all.join(", ")} and ${last}` : last;
}
var time = new Intl.DateTimeFormat(void 0, { hour: "numeric", minute: "2-digit" });
var date = new Intl.DateTimeFormat(void 0, { weekday: "short", day: "numeric", month: "short" });
function timeOfDay(iso) {
  return time.format(new Date(iso));
}
function day(iso) {
  const then = new Date(iso);
  return then.toDateString() === (/* @__PURE__ */ new Date()).toDateString() ? "Today" : date.format(then);
}
var dateAndTime = { weekday: "short", day: "numeric", month: "short", hour: "numeric", minute: "2-digit" };
function moment(iso, timeZone) {
  const then = new Date(iso);
  const isFar = then.getFullYear() !== (/* @__PURE__ */ new Date()).getFullYear();
  return then.toLocaleString(void 0, {
    ...dateAndTime,
    ...isFar && { year: "numeric" },
    ...timeZone && { timeZone }
  });
}
function momentElsewhere(iso, timeZone) {
  try {
    const there = moment(iso, timeZone);
    return there === moment(iso) ? void 0 : `${there} in ${timeZone.replaceAll("_", " ")}`;
  } catch {
    return void 0;
  }
}
function ownZone() {
  return new Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
}
function localInput(then) {
  const two = (n) => String(n).padStart(2, "0");
  return `${then.getFullYear()}-${two(then.getMonth() + 1)}-${two(then.getDate())}T${two(then.getHours())}:${two(then.getMinutes())}`;
}
function countdown(milliseconds) {
  const seconds = Math.max(Math.ceil(milliseconds / 1e3), 0);
  const days = Math.floor(seconds / 86400);
  const rest = clockTime(seconds % 86400 * 1e3);
  return days > 0 ? `${count(days, "day")} ${rest}` : rest;
}
function hue(id) {
  let sum = 0;
  for (const char of id) sum = (sum * 31 + char.charCodeAt(0)) % 360;
  return sum;
}

// ../clients/typescript/node_modules/openapi-fetch/dist/index.mjs
var PATH_PARAM_RE = /\{[^{}]+\}/g;
var supportsRequestInitExt = () => {
  return typeof process === "object" && Number.parseInt(process?.versions?.node?.substring(0, 2)) >= 18 && process.versions.
  undici;
};
function randomID() {
  return Math.random().toString(36).slice(2, 11);
}
function createClient(clientOptions) {
  let {
    baseUrl = "",
    Request: CustomRequest = globalThis.Request,
    fetch: baseFetch = globalThis.fetch,
    querySerializer: globalQuerySerializer,
    bodySerializer: globalBodySerializer,
    pathSerializer: globalPathSerializer,
    headers: baseHeaders,
    requestInitExt = void 0,
    ...baseOptions
  } = { ...clientOptions };
  requestInitExt = supportsRequestInitExt() ? requestInitExt : void 0;
  baseUrl = removeTrailingSlash(baseUrl);
  const globalMiddlewares = [];
  async function coreFetch(schemaPath, fetchOptions) {
    const {
      baseUrl: localBaseUrl,
      fetch = baseFetch,
      Request = CustomRequest,
      headers,
      params = {},
      parseAs = "json",
      querySerializer: requestQuerySerializer,
      bodySerializer = globalBodySerializer ?? defaultBodySerializer,
      pathSerializer: requestPathSerializer,
      body,
      middleware: requestMiddlewares = [],
      ...init
    } = fetchOptions || {};
    let finalBaseUrl = baseUrl;
    if (localBaseUrl) {
      finalBaseUrl = removeTrailingSlash(localBaseUrl) ?? baseUrl;
    }
    let querySerializer = typeof globalQuerySerializer === "function" ? globalQuerySerializer : createQuerySerializer(globalQuerySerializer);
    if (requestQuerySerializer) {
      querySerializer = typeof requestQuerySerializer === "function" ? requestQuerySerializer : createQuerySerializer({
        ...typeof globalQuerySerializer === "object" ? globalQuerySerializer : {},
        ...requestQuerySerializer
      });
    }
    const pathSerializer = requestPathSerializer || globalPathSerializer || defaultPathSerializer;
    const serializedBody = body === void 0 ? void 0 : bodySerializer(
      body,
      // Note: we declare mergeHeaders() both here and below because it’s a bit of a chicken-or-egg situation:
      // bodySerializer() needs all headers so we aren’t dropping ones set by the user, however,
      // the result of this ALSO sets the lowest-priority content-type header. So we re-merge below,
      // setting the content-type at the very beginning to be overwritten.
      // Lastly, based on the way headers work, it’s not a simple “present-or-not” check becauase null intentionally un-sets headers.
      mergeHeaders(baseHeaders, headers, params.header)
    );
    const finalHeaders = mergeHeaders(
      // with no body, we should not to set Content-Type
      serializedBody === void 0 || // if serialized body is FormData; browser will correctly set Content-Type & boundary expression
      serializedBody instanceof FormData ? {} : {
        "Content-Type": "application/json"
      },
      baseHeaders,
      headers,
      params.header
    );
    const finalMiddlewares = [...globalMiddlewares, ...requestMiddlewares];
    const requestInit = {
      redirect: "follow",
      ...baseOptions,
      ...init,
      body: serializedBody,
      headers: finalHeaders
    };
    let id;
    let options;
    let request = new Request(
      createFinalURL(schemaPath, { baseUrl: finalBaseUrl, params, querySerializer, pathSerializer }),
      requestInit
    );
    let response;
    for (const key2 in init) {
      if (!(key2 in request)) {
        request[key2] = init[key2];
      }
    }
    if (finalMiddlewares.length) {
      id = randomID();
      options = Object.freeze({
        baseUrl: finalBaseUrl,
        fetch,
        parseAs,
        querySerializer,
        bodySerializer,
        pathSerializer
      });
      for (const m of finalMiddlewares) {
        if (m && typeof m === "object" && typeof m.onRequest === "function") {
          const result = await m.onRequest({
            request,
            schemaPath,
            params,
            options,
            id
          });
          if (result) {
            if (result instanceof Request) {
              request = result;
            } else if (result instanceof Response) {
              response = result;
              break;
            } else {
              throw new Error("onRequest: must return new Request() or Response() when modifying the request");
            }
          }
        }
      }
    }
    if (!response) {
      try {
        response = await fetch(request, requestInitExt);
      } catch (error2) {
        let errorAfterMiddleware = error2;
        if (finalMiddlewares.length) {
          for (let i = finalMiddlewares.length - 1; i >= 0; i--) {
            const m = finalMiddlewares[i];
            if (m && typeof m === "object" && typeof m.onError === "function") {
              const result = await m.onError({
                request,
                error: errorAfterMiddleware,
                schemaPath,
                params,
                options,
                id
              });
              if (result) {
                if (result instanceof Response) {
                  errorAfterMiddleware = void 0;
                  response = result;
                  break;
                }
                if (result instanceof Error) {
                  errorAfterMiddleware = result;
                  continue;
                }
                throw new Error("onError: must return new Response() or instance of Error");
              }
            }
          }
        }
        if (errorAfterMiddleware) {
          throw errorAfterMiddleware;
        }
      }
      if (finalMiddlewares.length) {
        for (let i = finalMiddlewares.length - 1; i >= 0; i--) {
          const m = finalMiddlewares[i];
          if (m && typeof m === "object" && typeof m.onResponse === "function") {
            const result = await m.onResponse({
              request,
              response,
              schemaPath,
              params,
              options,
              id
            });
            if (result) {
              if (!(result instanceof Response)) {
                throw new Error("onResponse: must return new Response() when modifying the response");
              }
              response = result;
            }
          }
        }
      }
    }
    const contentLength = response.headers.get("Content-Length");
    if (response.status === 204 || request.method === "HEAD" || contentLength === "0" && !response.headers.get("Transfer\
-Encoding")?.includes("chunked")) {
      return response.ok ? { data: void 0, response } : { error: void 0, response };
    }
    if (response.ok) {
      const getResponseData = async () => {
        if (parseAs === "stream") {
          return response.body;
        }
        if (parseAs === "json" && !contentLength) {
          const raw = await response.text();
          return raw ? JSON.parse(raw) : void 0;
        }
        return await response[parseAs]();
      };
      return { data: await getResponseData(), response };
    }
    let error = await response.text();
    try {
      error = JSON.parse(error);
    } catch {
    }
    return { error, response };
  }
  return {
    request(method, url, init) {
      return coreFetch(url, { ...init, method: method.toUpperCase() });
    },
    /** Call a GET endpoint */
    GET(url, init) {
      return coreFetch(url, { ...init, method: "GET" });
    },
    /** Call a PUT endpoint */
    PUT(url, init) {
      return coreFetch(url, { ...init, method: "PUT" });
    },
    /** Call a POST endpoint */
    POST(url, init) {
      return coreFetch(url, { ...init, method: "POST" });
    },
    /** Call a DELETE endpoint */
    DELETE(url, init) {
      return coreFetch(url, { ...init, method: "DELETE" });
    },
    /** Call a OPTIONS endpoint */
    OPTIONS(url, init) {
      return coreFetch(url, { ...init, method: "OPTIONS" });
    },
    /** Call a HEAD endpoint */
    HEAD(url, init) {
      return coreFetch(url, { ...init, method: "HEAD" });
    },
    /** Call a PATCH endpoint */
    PATCH(url, init) {
      return coreFetch(url, { ...init, method: "PATCH" });
    },
    /** Call a TRACE endpoint */
    TRACE(url, init) {
      return coreFetch(url, { ...init, method: "TRACE" });
    },
    /** Register middleware */
    use(...middleware) {
      for (const m of middleware) {
        if (!m) {
          continue;
        }
        if (typeof m !== "object" || !("onRequest" in m || "onResponse" in m || "onError" in m)) {
          throw new Error("Middleware must be an object with one of `onRequest()`, `onResponse() or `onError()`");
        }
        globalMiddlewares.push(m);
      }
    },
    /** Unregister middleware */
    eject(...middleware) {
      for (const m of middleware) {
        const i = globalMiddlewares.indexOf(m);
        if (i !== -1) {
          globalMiddlewares.splice(i, 1);
        }
      }
    }
  };
}
function serializePrimitiveParam(name, value, options) {
  if (value === void 0 || value === null) {
    return "";
  }
  if (typeof value === "object") {
    throw new Error(
      "Deeply-nested arrays/objects aren’t supported. Provide your own `querySerializer()` to handle these."
    );
  }
  return `${name}=${options?.allowReserved === true ? value : encodeURIComponent(value)}`;
}
function serializeObjectParam(name, value, options) {
  if (!value || typeof value !== "object") {
    return "";
  }
  const values = [];
  const joiner = {
    simple: ",",
    label: ".",
    matrix: ";"
  }[options.style] || "&";
  if (options.style !== "deepObject" && options.explode === false) {
    for (const k in value) {
      values.push(k, options.allowReserved === true ? value[k] : encodeURIComponent(value[k]));
    }
    const final22 = values.join(",");
    switch (options.style) {
      case "form": {
        return `${name}=${final22}`;
      }
      case "label": {
        return `.${final22}`;
      }
      case "matrix": {
        return `;${name}=${final22}`;
      }
      default: {
        return final22;
      }
    }
  }
  for (const k in value) {
    const finalName = options.style === "deepObject" ? `${name}[${k}]` : k;
    values.push(serializePrimitiveParam(finalName, value[k], options));
  }
  const final2 = values.join(joiner);
  return options.style === "label" || options.style === "matrix" ? `${joiner}${final2}` : final2;
}
function serializeArrayParam(name, value, options) {
  if (!Array.isArray(value)) {
    return "";
  }
  if (options.explode === false) {
    const joiner2 = { form: ",", spaceDelimited: "%20", pipeDelimited: "|" }[options.style] || ",";
    const final2 = (options.allowReserved === true ? value : value.map((v) => encodeURIComponent(v))).join(joiner2);
    switch (options.style) {
      case "simple": {
        return final2;
      }
      case "label": {
        return `.${final2}`;
      }
      case "matrix": {
        return `;${name}=${final2}`;
      }
      // case "spaceDelimited":
      // case "pipeDelimited":
      default: {
        return `${name}=${final2}`;
      }
    }
  }
  const joiner = { simple: ",", label: ".", matrix: ";" }[options.style] || "&";
  const values = [];
  for (const v of value) {
    if (options.style === "simple" || options.style === "label") {
      values.push(options.allowReserved === true ? v : encodeURIComponent(v));
    } else {
      values.push(serializePrimitiveParam(name, v, options));
    }
  }
  return options.style === "label" || options.style === "matrix" ? `${joiner}${values.join(joiner)}` : values.join(joiner);
}
function createQuerySerializer(options) {
  return function querySerializer(queryParams) {
    const search = [];
    if (queryParams && typeof queryParams === "object") {
      for (const name in queryParams) {
        const value = queryParams[name];
        if (value === void 0 || value === null) {
          continue;
        }
        if (Array.isArray(value)) {
          if (value.length === 0) {
            continue;
          }
          search.push(
            serializeArrayParam(name, value, {
              style: "form",
              explode: true,
              ...options?.array,
              allowReserved: options?.allowReserved || false
            })
          );
          continue;
        }
        if (typeof value === "object") {
          search.push(
            serializeObjectParam(name, value, {
              style: "deepObject",
              explode: true,
              ...options?.object,
              allowReserved: options?.allowReserved || false
            })
          );
          continue;
        }
        search.push(serializePrimitiveParam(name, value, options));
      }
    }
    return search.join("&");
  };
}
function defaultPathSerializer(pathname, pathParams) {
  let nextURL = pathname;
  for (const match of pathname.match(PATH_PARAM_RE) ?? []) {
    let name = match.substring(1, match.length - 1);
    let explode = false;
    let style = "simple";
    if (name.endsWith("*")) {
      explode = true;
      name = name.substring(0, name.length - 1);
    }
    if (name.startsWith(".")) {
      style = "label";
      name = name.substring(1);
    } else if (name.startsWith(";")) {
      style = "matrix";
      name = name.substring(1);
    }
    if (!pathParams || pathParams[name] === void 0 || pathParams[name] === null) {
      continue;
    }
    const value = pathParams[name];
    if (Array.isArray(value)) {
      nextURL = nextURL.replace(match, serializeArrayParam(name, value, { style, explode }));
      continue;
    }
    if (typeof value === "object") {
      nextURL = nextURL.replace(match, serializeObjectParam(name, value, { style, explode }));
      continue;
    }
    if (style === "matrix") {
      nextURL = nextURL.replace(match, `;${serializePrimitiveParam(name, value)}`);
      continue;
    }
    nextURL = nextURL.replace(match, style === "label" ? `.${encodeURIComponent(value)}` : encodeURIComponent(value));
  }
  return nextURL;
}
function defaultBodySerializer(body, headers) {
  if (body instanceof FormData) {
    return body;
  }
  if (headers) {
    const contentType = headers.get instanceof Function ? headers.get("Content-Type") ?? headers.get("content-type") : headers["\
Content-Type"] ?? headers["content-type"];
    if (contentType === "application/x-www-form-urlencoded") {
      return new URLSearchParams(body).toString();
    }
  }
  return JSON.stringify(body);
}
function createFinalURL(pathname, options) {
  let finalURL = `${options.baseUrl}${pathname}`;
  if (options.params?.path) {
    finalURL = options.pathSerializer(finalURL, options.params.path);
  }
  let search = options.querySerializer(options.params.query ?? {});
  if (search.startsWith("?")) {
    search = search.substring(1);
  }
  if (search) {
    finalURL += `?${search}`;
  }
  return finalURL;
}
function mergeHeaders(...allHeaders) {
  const finalHeaders = new Headers();
  for (const h of allHeaders) {
    if (!h || typeof h !== "object") {
      continue;
    }
    const iterator = h instanceof Headers ? h.entries() : Object.entries(h);
    for (const [k, v] of iterator) {
      if (v === null) {
        finalHeaders.delete(k);
      } else if (Array.isArray(v)) {
        for (const v2 of v) {
          finalHeaders.append(k, v2);
        }
      } else if (v !== void 0) {
        finalHeaders.set(k, v);
      }
    }
  }
  return finalHeaders;
}
function removeTrailingSlash(url) {
  if (url.endsWith("/")) {
    return url.substring(0, url.length - 1);
  }
  return url;
}

// ../clients/typescript/src/calls.ts
var keyed = {
  "/auth/register": true,
  "/auth/password-reset": true,
  "/users/me/email/verification": true,
  "/movies": true,
  "/rooms": true,
  "/rooms/{room_id}/bans": true,
  "/rooms/{room_id}/mutes": true,
  "/rooms/{room_id}/invitations": true,
  "/rooms/{room_id}/queue": true,
  "/rooms/{room_id}/parties": true,
  "/chat/messages": true,
  "/abuse-reports": true,
  "/admin/cleanup": true,
  "/admin/webhooks": true,
  "/admin/emails/{email_id}/resend": true
};
function takesKey(path) {
  return Object.hasOwn(keyed, path);
}

// ../clients/typescript/src/problem.ts
var ProblemError = class _ProblemError extends Error {
  name = "ProblemError";
  status;
  /** What programs go by. `unknown` is an answer that a proxy gave; later versions of the API may have other codes. */
  code;
  /** The fields that are wrong. */
  errors;
  /** Figures that belong to the code. */
  details;
  /** Quote it when asking for help. */
  requestId;
  /** Seconds until another attempt makes sense, where the answer says so. */
  retryAfter;
  constructor(response, problem2) {
    super(problem2.detail ?? problem2.title ?? `HTTP status ${response.status}`);
    this.status = response.status;
    this.code = problem2.code ?? "unknown";
    this.errors = problem2.errors ?? [];
    this.details = problem2.details ?? {};
    this.requestId = problem2.request_id ?? response.headers.get("X-Request-Id") ?? void 0;
    this.retryAfter = retryAfter(response);
  }
  static async from(response) {
    const isProblem = response.headers.get("Content-Type")?.startsWith("application/problem+json");
    const problem2 = isProblem ? await response.json().catch(() => ({})) : {};
    return new _ProblemError(response, problem2);
  }
};
function retryAfter(response) {
  const value = response.headers.get("Retry-After") ?? "";
  return /^\d+$/.test(value) ? Number(value) : void 0;
}

// ../clients/typescript/src/retry.ts
var transient = /* @__PURE__ */ new Set([429, 502, 503]);
function withRetries(send, { attempts = 4, seconds = 20 } = {}) {
  return async (request) => {
    const deadline = Date.now() + seconds * 1e3;
    for (let attempt2 = 1; ; attempt2++) {
      const answer = await settle(send(request.clone()), request.signal);
      if (answer.response && !transient.has(answer.response.status)) return answer.response;
      const wait = pause(attempt2, answer.response);
      if (attempt2 >= attempts || Date.now() + wait > deadline) return answer.response ?? Promise.reject(answer.error);
      await answer.response?.body?.cancel();
      await sleep(wait, request.signal);
    }
  };
}
async function settle(sent, signal) {
  try {
    return { response: await sent, error: void 0 };
  } catch (error) {
    if (signal.aborted || !(error instanceof TypeError)) throw error;
    return { response: void 0, error };
  }
}
function pause(attempt2, response) {
  const asked = response && retryAfter(response);
  const base = asked === void 0 ? 250 * 2 ** (attempt2 - 1) : asked * 1e3;
  return base + Math.random() * Math.min(base / 2, 1e3);
}
function sleep(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener("abort", abort);
      resolve();
    }, milliseconds);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
}

// ../clients/typescript/src/tokens.ts
var key = "watchparty";
async function readTokens(storage) {
  const text = await storage.getItem(key);
  return text === null ? null : JSON.parse(text);
}
async function writeTokens(storage, { access_token, refresh_token }) {
  await storage.setItem(key, JSON.stringify({ access_token, refresh_token }));
}
async function dropTokens(storage) {
  await storage.removeItem(key);
}
function memoryStorage() {
  const items = /* @__PURE__ */ new Map();
  return {
    getItem: (name) => items.get(name) ?? null,
    setItem: (name, value) => void items.set(name, value),
    removeItem: (name) => void items.delete(name)
  };
}

// ../clients/typescript/src/xhr.ts
function sendByXHR(onProgress) {
  return async (request) => {
    const body = await request.blob();
    return new Promise((resolve, reject) => {
      const xhr = new XMLHttpRequest();
      xhr.open(request.method, request.url);
      xhr.responseType = "blob";
      request.headers.forEach((value, name) => xhr.setRequestHeader(name, value));
      xhr.upload.onprogress = ({ loaded, total }) => onProgress(total > 0 ? loaded / total : 0);
      xhr.onload = () => resolve(toResponse(xhr));
      xhr.onerror = () => reject(new TypeError("The network failed."));
      xhr.onabort = () => reject(request.signal.reason);
      const abort = () => xhr.abort();
      request.signal.addEventListener("abort", abort, { once: true });
      xhr.onloadend = () => request.signal.removeEventListener("abort", abort);
      request.signal.throwIfAborted();
      xhr.send(body);
    });
  };
}
function toResponse(xhr) {
  const headers = new Headers();
  for (const line of xhr.getAllResponseHeaders().trim().split("\r\n")) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.append(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const empty = xhr.status === 204 || xhr.status === 304;
  return new Response(empty ? null : xhr.response, { status: xhr.status, headers });
}

// ../clients/typescript/src/index.ts
function createWatchParty({ baseUrl, storage = memoryStorage(), retry, onSignedOut: onSignedOut2 }) {
  const client = createClient({ baseUrl });
  client.use({
    onRequest({ request, schemaPath, options: { fetch } }) {
      if (request.method === "POST" && takesKey(schemaPath) && !request.headers.has("Idempotency-Key")) {
        request.headers.set("Idempotency-Key", newKey());
      }
      return call(request, schemaPath, mayRepeat(request, schemaPath) ? withRetries(fetch, retry) : fetch);
    }
  });
  const calls = client;
  let renewal;
  async function call(request, path, send) {
    const response = await (path.startsWith("/auth/") ? send(request) : sendSigned(request, send));
    if (!response.ok) throw await ProblemError.from(response);
    if (path === "/auth/register" || path === "/auth/login") {
      await writeTokens(storage, (await response.clone().json()).data);
    } else if (path === "/users/me" && request.method === "DELETE") {
      await dropTokens(storage);
    }
    return response;
  }
  async function sendSigned(request, send) {
    const tokens = await readTokens(storage);
    if (!tokens || request.headers.has("Authorization")) return send(request);
    const response = await send(sign(request.clone(), tokens));
    if (response.status !== 401) return response;
    const renewed = await renew(tokens);
    return renewed ? send(sign(request, renewed)) : response;
  }
  function renew(refused) {
    renewal ??= exchange(refused).finally(() => {
      renewal = void 0;
    });
    return renewal;
  }
  async function exchange(refused) {
    const stored = await readTokens(storage);
    if (stored?.access_token !== refused.access_token) return stored;
    let fresh;
    try {
      const { data } = await calls.POST("/auth/refresh", { body: { refresh_token: stored.refresh_token } });
      fresh = data.data;
    } catch (error) {
      if (!(error instanceof ProblemError && error.status === 401)) throw error;
      fresh = null;
    }
    const now = await readTokens(storage);
    if (now?.refresh_token !== stored.refresh_token) return now;
    if (fresh) {
      await writeTokens(storage, fresh);
    } else {
      await dropTokens(storage);
      onSignedOut2?.();
    }
    return fresh;
  }
  return {
    baseUrl,
    GET: calls.GET,
    POST: calls.POST,
    PUT: calls.PUT,
    PATCH: calls.PATCH,
    DELETE: calls.DELETE,
    async isSignedIn() {
      return await readTokens(storage) !== null;
    },
    async accessToken(former) {
      const tokens = await readTokens(storage);
      return (tokens && tokens.access_token === former ? await renew(tokens) : tokens)?.access_token ?? null;
    },
    async signOut() {
      const tokens = await readTokens(storage);
      await dropTokens(storage);
      if (tokens) await calls.POST("/auth/logout", { body: { refresh_token: tokens.refresh_token } });
    },
    async uploadAvatar(file, { onProgress, signal } = {}) {
      const { data } = await calls.PUT("/users/me/avatar", {
        body: { avatar: file },
        bodySerializer: ({ avatar }) => {
          const form2 = new FormData();
          form2.append("avatar", avatar);
          return form2;
        },
        ...signal && { signal },
        ...onProgress && typeof XMLHttpRequest !== "undefined" && { fetch: sendByXHR(onProgress) }
      });
      return data.data;
    }
  };
}
function sign(request, { access_token }) {
  request.headers.set("Authorization", `Bearer ${access_token}`);
  return request;
}
function mayRepeat(request, path) {
  return ["GET", "HEAD", "PUT", "DELETE"].includes(request.method) || request.headers.has("Idempotency-Key") || path ===
  "/auth/refresh" || path === "/auth/logout";
}
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// watch/session.ts
var whenSignedOut = () => {
};
function onSignedOut(action) {
  whenSignedOut = action;
}
var api = createWatchParty({
  baseUrl: `${location.origin}/api`,
  storage: localStorage,
  onSignedOut: () => whenSignedOut()
});
function explain(error) {
  if (error instanceof ProblemError) {
    const fields = error.errors.map(({ field: field2, message }) => `${field2.replaceAll("_", " ")} ${message}.`);
    return fields.length > 0 ? capital(fields.join(" ")) : error.message;
  }
  if (error instanceof TypeError) return "The server cannot be reached. Check your network connection.";
  return error instanceof Error ? error.message : String(error);
}
function capital(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
function changes(was, is) {
  return Object.fromEntries(Object.entries(is).filter(([name, value]) => was[name] !== value));
}
var pageSize = 100;
var maxPages = 10;
async function playableMovies(search = "", signal) {
  const movies = [];
  let cursor = null;
  for (let pages = 0; pages < maxPages && movies.length < pageSize; pages++) {
    const query = { limit: pageSize, ...search && { q: search }, ...cursor && { cursor } };
    const { data } = await api.GET("/movies", { params: { query }, ...signal && { signal } });
    movies.push(...data.data.filter(({ stream_url }) => stream_url !== null));
    cursor = data.next_cursor;
    if (!cursor) break;
  }
  return movies.slice(0, pageSize);
}

// watch/schedule.ts
function editParty(roomID, done, party) {
  const label = party ? "Change the party" : "Schedule a party";
  const start = localInput(party ? new Date(party.starts_at) : nextHour());
  const movieID = party?.movie?.id ?? "";
  const movie = el(
    "select",
    { name: "movie_id" },
    el("option", { value: "" }, "Choose later"),
    party?.movie && el("option", { value: movieID, selected: true }, `${party.movie.title} (${party.movie.year})`)
  );
  const status = el("p", { class: "problem", role: "alert" });
  const submit = el("button", { type: "submit", class: "primary" }, party ? "Save" : "Schedule");
  const form2 = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        const is = values();
        const change = changes(shown2, is);
        if (party && Object.keys(change).length === 0) return dialog.close();
        submit.disabled = true;
        status.textContent = "";
        const send = () => party ? api.PATCH("/parties/{party_id}", { params: { path: { party_id: party.id } }, body: change }) :
        api.POST("/rooms/{room_id}/parties", {
          params: { path: { room_id: roomID } },
          body: { ...is, time_zone: ownZone() }
        });
        send().then(() => {
          dialog.close();
          toast(party ? "The party is changed." : "The party is scheduled.");
          done();
        }, (error) => {
          status.textContent = explain(error);
        }).finally(() => {
          submit.disabled = false;
        });
      }
    },
    el("h2", {}, label),
    field(
      "When it starts",
      el("input", { name: "starts_at", type: "datetime-local", required: true, value: start }),
      `In your time zone, ${ownZone().replaceAll("_", " ")}.`
    ),
    field(
      "Title",
      el("input", { name: "title", maxlength: 100, value: party?.title ?? "", autocomplete: "off" }),
      "If empty, the title of the movie."
    ),
    field("Movie", movie, "If none, the loaded movie, or the first in the queue."),
    status,
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, "Back"), submit)
  );
  const values = () => {
    const data = new FormData(form2);
    const text = (name) => String(data.get(name) ?? "").trim();
    return {
      starts_at: new Date(text("starts_at")).toISOString(),
      title: text("title") || null,
      movie_id: text("movie_id") || null
    };
  };
  const shown2 = values();
  const dialog = openDialog(label, {}, form2);
  playableMovies().then((movies) => {
    movie.append(...movies.filter(({ id }) => id !== movieID).map(({ id, title, year }) => el("option", { value: id }, `${title}\
 (${year})`)));
  }, (error) => {
    status.textContent = explain(error);
  });
}
function nextHour() {
  const hour = new Date(Date.now() + 2 * 36e5);
  hour.setMinutes(0, 0, 0);
  return hour;
}

// watch/party.ts
var pollGap = 3e4;
var overdueGap = 5e3;
function partyTitle({ title, movie }) {
  return title || movie?.title || "Watch together";
}
function partyTime({ starts_at: start, time_zone: zone }) {
  const elsewhere = momentElsewhere(start, zone);
  return elsewhere ? `${moment(start)} for you, ${elsewhere}` : moment(start);
}
var NextParty = class {
  constructor(room, roomID) {
    this.room = room;
    this.roomID = roomID;
    this.element = el(
      "section",
      { class: "card party", "aria-labelledby": "next-party", hidden: true },
      el(
        "div",
        { class: "stack-small grow" },
        el("p", { class: "row wrap small" }, el("span", { class: "label" }, "Next party"), this.#left),
        this.#title,
        this.#when,
        this.#more
      ),
      el(
        "div",
        { class: "row wrap" },
        this.#answers.element,
        el(
          "div",
          { class: "row tight" },
          iconButton("calendar", "Add to calendar", { onclick: () => this.#download() }),
          this.#move,
          this.#cancel
        )
      )
    );
    room.on("place", () => this.#render());
    room.on("state", ({ starts_at_ms: starts }) => {
      if (starts === this.#starts) return;
      this.#starts = starts;
      void this.load();
    });
    room.on("room", ({ parties_ms: changed }) => {
      if (changed === this.#changed) return;
      this.#changed = changed;
      void this.load();
    });
    document.addEventListener("visibilitychange", () => this.#tick(), { signal: this.#abort.signal });
    this.#tick();
  }
  room;
  roomID;
  element;
  #title = el("h2", { class: "line", id: "next-party" });
  #when = el("p", { class: "quiet small when" });
  #left = el("span", { class: "left", role: "timer" });
  #more = el("p", { class: "quiet small" });
  #answers = new Answers((reply) => this.#reply(reply));
  #move = iconButton("edit", "Change the party", { onclick: () => this.#change() });
  #cancel = iconButton("close", "Cancel the party", { onclick: () => this.#confirm() });
  #abort = new AbortController();
  #party;
  #starts = null;
  #changed;
  #loading = 0;
  #loadedAt = -Infinity;
  #timer;
  stop() {
    this.#abort.abort();
    clearTimeout(this.#timer);
  }
  async load() {
    const turn2 = ++this.#loading;
    this.#loadedAt = performance.now();
    try {
      const { data } = await api.GET("/rooms/{room_id}/parties", { params: { path: { room_id: this.roomID } } });
      const [next, ...later] = data.data;
      if (turn2 !== this.#loading || this.#abort.signal.aborted) return;
      this.#party = next;
      setText(this.#more, later[0] ? `Then: ${later.map((party) => `${partyTitle(party)}, ${moment(party.starts_at)}`).join(
      "; ")}` : "");
      this.#render();
      this.#tick();
    } catch {
    }
  }
  #render() {
    const party = this.#party;
    this.element.hidden = !party;
    if (!party) return;
    const plans = this.room.place?.permissions.includes("schedule_party") ?? false;
    this.#move.hidden = this.#cancel.hidden = !plans;
    setText(this.#title, partyTitle(party));
    setText(this.#when, partyTime(party) + (party.title && party.movie ? ` · ${party.movie.title}` : ""));
    this.#answers.show(party.answers, party.my_answer);
  }
  /** Counts down once a second, and asks now and then, while the page can be seen. */
  #tick() {
    clearTimeout(this.#timer);
    if (this.#abort.signal.aborted || document.visibilityState === "hidden") return;
    const left = this.#party && Date.parse(this.#party.starts_at) - (this.room.serverTime() ?? Date.now());
    const gap = left !== void 0 && left <= 0 ? overdueGap : pollGap;
    if (performance.now() - this.#loadedAt >= gap) void this.load();
    if (left !== void 0) setText(this.#left, left > 0 ? `in ${countdown(left)}` : "now");
    const second = left !== void 0 && left > 0 ? left % 1e3 || 1e3 : 1e3;
    this.#timer = setTimeout(() => this.#tick(), second);
  }
  #reply(answer) {
    const party = this.#party;
    if (!party) return;
    api.PUT("/parties/{party_id}/answer", { params: { path: { party_id: party.id } }, body: { answer } }).then(() => this.
    load(), (error) => toast(explain(error)));
  }
  #change() {
    if (this.#party) editParty(this.roomID, () => void this.load(), this.#party);
  }
  #confirm() {
    const party = this.#party;
    if (!party) return;
    const status = el("p", { class: "problem", role: "alert" });
    const cancel = el("button", {
      type: "button",
      class: "danger",
      onclick: () => {
        cancel.disabled = true;
        api.DELETE("/parties/{party_id}", { params: { path: { party_id: party.id } } }).then(() => {
          dialog.close();
          toast("The party is cancelled.");
          return this.load();
        }, (error) => {
          status.textContent = explain(error);
        }).finally(() => {
          cancel.disabled = false;
        });
      }
    }, "Cancel the party");
    const dialog = openDialog("Cancel the party", { role: "alertdialog" }, el(
      "div",
      { class: "stack" },
      el("h2", {}, "Cancel the party?"),
      el("p", {}, `${partyTitle(party)}, ${moment(party.starts_at)}. Guests who answered yes or maybe get an email.`),
      status,
      el(
        "div",
        { class: "row end" },
        el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Keep it"),
        cancel
      )
    ));
  }
  /** Saves the file for calendars. The request is signed, which a link is not. */
  async #download() {
    if (!this.#party) return;
    try {
      const { data } = await api.GET("/parties/{party_id}/calendar", {
        params: { path: { party_id: this.#party.id } },
        parseAs: "blob"
      });
      const url = URL.createObjectURL(data);
      el("a", { href: url, download: "party.ics" }).click();
      setTimeout(() => URL.revokeObjectURL(url), 6e4);
    } catch (error) {
      toast(explain(error));
    }
  }
};

// watch/lobby.ts
async function showLobby(main2, enter2) {
  const mine = el("div", { class: "rooms" });
  const others = el("div", { class: "rooms" });
  const parties = el("div", { class: "rooms" });
  const upcoming = el(
    "section",
    { class: "stack", "aria-labelledby": "parties", hidden: true },
    el("h2", { id: "parties" }, "Upcoming parties"),
    parties
  );
  const dialog = newRoomDialog(enter2);
  main2.replaceChildren(
    el(
      "div",
      { class: "page stack-large" },
      el(
        "div",
        { class: "row between wrap" },
        el("h1", {}, "Rooms"),
        el(
          "button",
          { type: "button", class: "primary row", onclick: () => dialog.showModal() },
          icon("plus"),
          "New room"
        )
      ),
      upcoming,
      el("section", { class: "stack", "aria-labelledby": "mine" }, el("h2", { id: "mine" }, "Yours"), mine),
      el(
        "section",
        { class: "stack", "aria-labelledby": "others" },
        el("h2", { id: "others" }, "Open to everyone"),
        others
      )
    ),
    dialog
  );
  mine.replaceChildren(loading());
  others.replaceChildren(loading());
  try {
    const [own, open, planned] = await Promise.all([
      api.GET("/users/me/rooms", { params: { query: { state: "open", limit: 100 } } }),
      api.GET("/rooms", { params: { query: { sort: "active", limit: 100 } } }),
      api.GET("/users/me/parties", { params: { query: { limit: 20 } } })
    ]);
    parties.replaceChildren(...planned.data.data.map((my) => partyCard(my, enter2)));
    upcoming.hidden = planned.data.data.length === 0;
    const known = new Set(own.data.data.map(({ room }) => room.id));
    fill(mine, own.data.data.map((my) => card(my.room, enter2, my)), emptyMine(() => dialog.showModal()));
    fill(
      others,
      open.data.data.filter(({ id }) => !known.has(id)).map((room) => card(room, enter2)),
      el("p", { class: "quiet" }, "No other room is open now.")
    );
  } catch (error) {
    fill(mine, [], problem(error, () => void showLobby(main2, enter2)));
    others.replaceChildren();
  }
}
function fill(element, cards, empty) {
  element.replaceChildren(...cards.length > 0 ? cards : [empty]);
}
function loading() {
  return el("p", { class: "quiet", role: "status" }, "One moment…");
}
function problem(error, again2) {
  return el(
    "div",
    { class: "stack" },
    el("p", { class: "problem", role: "alert" }, explain(error)),
    el("div", {}, el("button", { type: "button", onclick: again2 }, "Try again"))
  );
}
function emptyMine(create) {
  return el(
    "div",
    { class: "empty" },
    icon("film"),
    el("p", {}, "You are in no room yet. Open one, and send its link to those who should watch with you."),
    el("button", { type: "button", onclick: create }, "Open a room")
  );
}
function linkTo(roomID, enter2) {
  return {
    href: `?room=${roomID}`,
    onclick: (event) => {
      const { ctrlKey, metaKey, shiftKey } = event;
      if (ctrlKey || metaKey || shiftKey) return;
      event.preventDefault();
      enter2(roomID);
    }
  };
}
function partyCard(party, enter2) {
  const title = partyTitle(party);
  const answers = new Answers((reply) => {
    api.PUT("/parties/{party_id}/answer", { params: { path: { party_id: party.id } }, body: { answer: reply } }).then(() => api.
    GET("/parties/{party_id}", { params: { path: { party_id: party.id } } })).then(({ data }) => answers.show(data.data.
    answers, reply), (error) => toast(explain(error)));
  }, `Are you coming to ${title}?`);
  answers.show(party.answers, party.my_answer);
  return el(
    "article",
    { class: "card stack-small my-party" },
    el("h3", { class: "line" }, title),
    el("p", { class: "quiet small" }, partyTime(party)),
    el("a", { class: "line", ...linkTo(party.room_id, enter2) }, party.room_name),
    answers.element
  );
}
function card(room, enter2, mine) {
  const poster = el("span", { class: "poster" }, icon("film"));
  const plays = el("span", { class: "quiet line" }, room.description || "No movie chosen yet");
  if (room.movie) {
    plays.textContent = `${room.movie.title} (${room.movie.year})`;
    if (room.movie.poster_url) showPoster(poster, room.movie.poster_url);
  }
  return el(
    "a",
    {
      class: "room-card",
      ...linkTo(room.id, enter2)
    },
    poster,
    el(
      "span",
      { class: "stack-small" },
      el("span", { class: "name line" }, room.name),
      plays,
      el(
        "span",
        { class: "row wrap badges" },
        el("span", { class: "badge" }, `${count(room.participants, "person").replace("persons", "people")}`),
        room.visibility !== "public" && el("span", { class: "badge" }, room.visibility),
        mine && mine.role !== "viewer" && el("span", { class: "badge accent" }, mine.role),
        mine && mine.unread > 0 && el("span", { class: "badge accent" }, `${mine.unread} new`)
      )
    )
  );
}
function showPoster(place, url) {
  const image = el("img", { src: url, alt: "", loading: "lazy", onerror: () => image.remove() });
  place.append(image);
}
function newRoomDialog(enter2) {
  const status = el("p", { class: "problem", role: "alert" });
  const movie = el("select", { name: "movie_id" }, el("option", { value: "" }, "Choose later"));
  const submit = el("button", { type: "submit", class: "primary" }, "Open the room");
  const form2 = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        submit.disabled = true;
        const data = new FormData(form2);
        const text = (name) => String(data.get(name) ?? "");
        const movieID = text("movie_id");
        api.POST("/rooms", {
          body: {
            name: text("name"),
            visibility: text("visibility"),
            ...movieID && { movie_id: movieID }
          }
        }).then(({ data: { data: room } }) => {
          dialog.close();
          enter2(room.id);
        }, (error) => {
          status.textContent = explain(error);
        }).finally(() => {
          submit.disabled = false;
        });
      }
    },
    el("h2", {}, "New room"),
    field("Name", el("input", { name: "name", required: true, maxlength: 100, autocomplete: "off" })),
    field("Movie", movie),
    field("Visibility", el(
      "select",
      { name: "visibility" },
      el("option", { value: "public" }, "Public: listed for everyone"),
      el("option", { value: "unlisted" }, "Unlisted: anyone with the link"),
      el("option", { value: "private" }, "Private: invited people only")
    )),
    status,
    el(
      "div",
      { class: "row end" },
      el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"),
      submit
    )
  );
  const dialog = el("dialog", { "aria-label": "New room" }, form2);
  playableMovies().then((movies) => {
    movie.append(...movies.map(({ id, title, year }) => el("option", { value: id }, `${title} (${year})`)));
  }, (error) => toast(explain(error)));
  return dialog;
}

// ../clients/typescript/src/live/anchor.ts
var maxEarly = 6e4;
var lookAhead = 2e3;
function due(anchor, time2) {
  const starts = anchor.starts_at_ms;
  if (anchor.state !== "paused" || !starts || time2 < starts - lookAhead || time2 >= starts + maxEarly) return anchor;
  return { ...anchor, state: "playing", at_ms: starts };
}
function positionAt(anchor, time2) {
  const moved = anchor.state === "playing" ? Math.max(time2 - anchor.at_ms, 0) * anchor.rate : 0;
  return Math.min(Math.max(anchor.position_ms + moved, 0), anchor.duration_ms ?? Infinity);
}
function differ(a, b) {
  return a.state !== b.state || a.position_ms !== b.position_ms || a.at_ms !== b.at_ms || a.rate !== b.rate || (a.starts_at_ms ??
  0) !== (b.starts_at_ms ?? 0);
}

// ../clients/typescript/src/live/clock.ts
var keptSamples = 16;
var maxSampleAge = 18e4;
var clockDrift = 5e-5;
var sampleSlack = 1;
var burstSize = 6;
var burstGap = 100;
var firstMinute = 6e4;
var gapInFirstMinute = 5e3;
var gapLater = 15e3;
var Clock = class {
  #samples = [];
  #burstAt = 0;
  #burstLeft = 0;
  #due = 0;
  constructor(now) {
    this.wake(now);
  }
  /** When the next request should be sent. */
  get due() {
    return this.#due;
  }
  /** Asks for several samples at once: the machine may have slept, or the path has changed. */
  wake(now) {
    if (this.#burstLeft > 0 && now - this.#burstAt < burstSize * burstGap) return;
    this.#burstAt = now;
    this.#burstLeft = burstSize;
    this.#due = now;
  }
  /** Notes that a request goes out. */
  sent(now) {
    this.#burstLeft = Math.max(this.#burstLeft - 1, 0);
    const gap = this.#burstLeft > 0 ? burstGap : now - this.#burstAt < firstMinute ? gapInFirstMinute : gapLater;
    this.#due = now + gap;
  }
  /**
   * Takes an answer: sent at c0 and received at c3 by the client's clock, received at s1 and sent at s2 by the
   * server's.
   */
  add(c0, s1, s2, c3) {
    const delay = c3 - c0 - (s2 - s1);
    if (![c0, s1, s2, c3].every(Number.isFinite) || s2 < s1 || delay < 0) return;
    const sample = { offset: (s1 - c0 + (s2 - c3)) / 2, delay, at: c3 };
    const before = this.#lowestDelay();
    this.#samples = this.#samples.filter(
      (old) => c3 - old.at <= maxSampleAge && Math.abs(old.offset - sample.offset) <= bound(old, c3) + bound(sample, c3) +
      sampleSlack
    );
    this.#samples.push(sample);
    if (this.#samples.length > keptSamples) this.#samples.shift();
    if (this.#lowestDelay() > before * 1.5 + 10) this.wake(c3);
  }
  /** The best that is known; undefined before the first sample. */
  read(now) {
    let best;
    for (const sample of this.#samples) {
      if (!best || bound(sample, now) < bound(best, now)) best = sample;
    }
    return best && { offset: best.offset, uncertainty: bound(best, now), delay: best.delay };
  }
  #lowestDelay() {
    return Math.min(...this.#samples.map(({ delay }) => delay));
  }
};
function bound(sample, now) {
  return sample.delay / 2 + Math.max(now - sample.at, 0) * clockDrift;
}

// ../clients/typescript/src/live/environment.ts
var openState = 1;
var browserEnvironment = {
  now: () => performance.now(),
  random: () => Math.random(),
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  openSocket: (url, protocol2) => new WebSocket(url, protocol2)
};

// ../clients/typescript/src/live/connection.ts
var CommandError = class extends Error {
  name = "CommandError";
  code;
  /** Milliseconds until another attempt makes sense, where the server says so. */
  retryAfter;
  constructor({ code, message, retry_after_ms }) {
    super(message);
    this.code = code;
    this.retryAfter = retry_after_ms;
  }
};
var protocol = "watchparty.v1";
var final = /* @__PURE__ */ new Set([1e3, 1003, 1009, 4400, 4403, 4404, 4409, 4410]);
var unauthenticated = 4401;
var maxTokens = 3;
var silence = 8e3;
var firstDelay = 1e3;
var lastDelay = 1e4;
var commandTime = 1e4;
var seekGap = 250;
var LiveRoom = class {
  #env;
  #signIn;
  #url;
  #listeners = /* @__PURE__ */ new Map();
  #pending = /* @__PURE__ */ new Map();
  #phase = "connecting";
  #end;
  #loss;
  #state;
  #members = { connected: 0, waiting_for: [], waiting: 0 };
  #people = [];
  #place;
  #room;
  #queue;
  #degraded = false;
  #socket;
  #connectionID;
  #heldSeek;
  #soughtAt = -Infinity;
  #cancelSeek = () => {
  };
  #token = null;
  #refusals = 0;
  #attempts = 0;
  #clock;
  #cancelRetry = () => {
  };
  #cancelTick = () => {
  };
  #cancelSilence;
  constructor(signIn2, roomID, environment = browserEnvironment) {
    this.#env = environment;
    this.#signIn = signIn2;
    const url = new URL(`${signIn2.baseUrl}/rooms/${encodeURIComponent(roomID)}/live`, globalThis.location?.href);
    this.#url = url.href.replace(/^http/, "ws");
    this.#clock = new Clock(environment.now());
    void this.#connect();
  }
  get phase() {
    return this.#phase;
  }
  /** Why it is closed, if it is. */
  get end() {
    return this.#end;
  }
  /** Why there is no connection now, if the server has said so; for example `rate_limited`. */
  get loss() {
    return this.#loss;
  }
  get state() {
    return this.#state;
  }
  get members() {
    return this.#members;
  }
  get people() {
    return this.#people;
  }
  get place() {
    return this.#place;
  }
  get room() {
    return this.#room;
  }
  get queue() {
    return this.#queue;
  }
  /** Whether the server cannot reach its database: players go on, commands are refused. */
  get degraded() {
    return this.#degraded;
  }
  /** What is known of the server's clock. */
  get clock() {
    return this.#clock.read(this.#env.now());
  }
  /** The server's time, in milliseconds; undefined before the clock is known. */
  serverTime() {
    const reading = this.clock;
    return reading && this.#env.now() + reading.offset;
  }
  /** Returns a function that ends it. */
  on(name, listener) {
    const listeners = this.#listeners.get(name) ?? /* @__PURE__ */ new Set();
    listeners.add(listener);
    this.#listeners.set(name, listeners);
    return () => void listeners.delete(listener);
  }
  /**
   * Sends a command of a person, and returns the revision that it made. Never send what a player does by itself. It
   * throws a CommandError. Of seeks that follow each other closely, only some are sent, and always the last one; the
   * others are refused as `superseded`.
   */
  command(body) {
    if (body.t !== "seek") {
      this.#releaseSeek();
      return this.#submit(body);
    }
    return new Promise((resolve, reject) => {
      this.#heldSeek?.reject(superseded());
      this.#heldSeek = { body, resolve, reject };
      this.#cancelSeek();
      const wait = this.#soughtAt + seekGap - this.#env.now();
      if (wait > 0) this.#cancelSeek = this.#env.after(wait, () => this.#releaseSeek());
      else this.#releaseSeek();
    });
  }
  #releaseSeek() {
    const held = this.#heldSeek;
    if (!held) return;
    this.#heldSeek = void 0;
    this.#cancelSeek();
    this.#soughtAt = this.#env.now();
    this.#submit(held.body).then(held.resolve, held.reject);
  }
  #submit(body) {
    const seen = { epoch: this.#state?.epoch ?? 0, revision: this.#state?.revision ?? 0 };
    const command = { ...body, id: newID(), ...seen };
    return new Promise((resolve, reject) => {
      if (this.#phase !== "open") return reject(disconnected());
      const cancelTimeout = this.#env.after(commandTime, () => this.#settle(command.id, fail));
      this.#pending.set(command.id, { command, cancelTimeout, resolve, reject });
      this.#send(command);
    });
  }
  /** Reports the status of the player. `watchTogether` calls it. */
  report(status) {
    if (this.#phase === "open") this.#send({ t: "status", ...status });
  }
  /** Says that the player could play at the position of the cue. `watchTogether` does that. */
  ready(epoch, cue, duration) {
    if (this.#phase === "open") this.#send({ t: "ready", epoch, cue, ...duration && { duration_ms: duration } });
  }
  /** The machine may have slept: measures the clock again, or connects at once. */
  wake() {
    if (this.#phase === "closed") return;
    this.#clock.wake(this.#env.now());
    if (this.#phase === "open") this.#measure();
    else if (!this.#socket) void this.#connect();
  }
  /** The network has changed: reconnects, since the old connection may not deliver what it has sent for long. */
  reconnect() {
    if (this.#phase === "closed") return;
    this.#attempts = 0;
    if (this.#socket) this.#drop();
    void this.#connect();
  }
  /** Closes the connection. The person stays in the room. */
  close() {
    if (this.#phase === "open") this.#send({ t: "bye" });
    this.#finish({ code: 1e3, reason: "left" });
  }
  async #connect() {
    this.#cancelRetry();
    let token;
    try {
      token = await this.#signIn.accessToken();
    } catch {
      return this.#retry();
    }
    if (this.#phase === "closed" || this.#socket) return;
    if (token === null) return this.#finish({ code: unauthenticated, reason: "signed_out" });
    this.#token = token;
    this.#open(token);
  }
  #open(token) {
    const socket = this.#env.openSocket(this.#url, protocol);
    this.#socket = socket;
    this.#expectAnswer();
    socket.onopen = () => {
      this.#send({ t: "hello", token, ...this.#connectionID && { resume: this.#connectionID } });
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket && typeof data === "string") this.#receive(JSON.parse(data));
    };
    socket.onclose = ({ code, reason }) => {
      if (socket === this.#socket) this.#lost(code, reason);
    };
  }
  /** Closes the connection as lost if no message arrives within `silence`. */
  #expectAnswer() {
    this.#cancelSilence ??= this.#env.after(silence, () => this.#drop());
  }
  #heard() {
    this.#cancelSilence?.();
    this.#cancelSilence = void 0;
  }
  #drop() {
    const socket = this.#socket;
    this.#lost(1006, "silence");
    socket?.close();
  }
  /** A connection that the other side closes takes nothing any more, and browsers complain about what is sent. */
  #send(message) {
    if (this.#socket?.readyState === openState) this.#socket.send(JSON.stringify(message));
  }
  #lost(code, reason) {
    this.#socket = void 0;
    this.#cancelTick();
    this.#heard();
    if (final.has(code)) return this.#finish({ code, reason });
    this.#loss = { code, reason };
    this.#setPhase(this.#state ? "reconnecting" : "connecting");
    this.#emit("loss", this.#loss);
    if (code === unauthenticated) void this.#renew(reason);
    else this.#retry();
  }
  /** A refused token is exchanged before another attempt. */
  async #renew(reason) {
    try {
      const fresh = await this.#signIn.accessToken(this.#token ?? void 0);
      if (this.#phase === "closed") return;
      if (fresh === null || ++this.#refusals >= maxTokens) {
        return this.#finish({ code: unauthenticated, reason: fresh === null ? "signed_out" : reason });
      }
    } catch {
    }
    if (this.#phase !== "closed") this.#retry();
  }
  /** Connects again after a random time, so that the clients of a node that has ended do not come all at once. */
  #retry() {
    if (this.#phase === "closed") return;
    const most = Math.min(firstDelay * 2 ** this.#attempts, lastDelay);
    const least = this.#attempts === 0 ? 0 : most / 2;
    this.#attempts++;
    this.#cancelRetry();
    this.#cancelRetry = this.#env.after(least + this.#env.random() * (most - least), () => void this.#connect());
  }
  #finish(end) {
    if (this.#phase === "closed") return;
    this.#end = end;
    const socket = this.#socket;
    this.#socket = void 0;
    this.#cancelRetry();
    this.#cancelTick();
    this.#heard();
    socket?.close(1e3);
    for (const id of [...this.#pending.keys()]) this.#settle(id, fail);
    this.#setPhase("closed");
    this.#releaseSeek();
  }
  #receive(message) {
    this.#heard();
    switch (message.t) {
      case "welcome":
        return this.#welcome(message);
      case "state":
        return this.#takeState(message);
      case "ack":
        return this.#settle(message.id, (p) => p.resolve(message.revision));
      case "error":
        return this.#refused(message);
      case "clock":
        return this.#clock.add(message.c0, message.s1, message.s2, this.#env.now());
      case "clock_changed":
        this.#clock = new Clock(this.#env.now());
        return this.#measure();
      case "members":
        this.#members = message;
        return this.#emit("members", message);
      case "people":
        return this.#takePeople(message.changed, message.left);
      case "place":
        this.#place = message;
        return this.#emit("place", message);
      case "room":
        this.#room = message;
        return this.#emit("room", message);
      case "queue":
        this.#queue = message;
        return this.#emit("queue", message);
      case "message":
        return this.#emit("message", message.message);
      case "hidden":
        return this.#emit("hidden", message.user);
      case "token_expiring":
        return void this.#renewToken();
      case "degraded":
        this.#degraded = message.degraded;
        return this.#emit("degraded", message.degraded);
      case "going_away":
    }
  }
  #welcome(message) {
    this.#connectionID = message.connection;
    this.#attempts = 0;
    this.#refusals = 0;
    this.#loss = void 0;
    this.#degraded = false;
    this.#members = message.members;
    this.#people = message.people;
    this.#place = message.place;
    this.#room = message.room;
    this.#queue = message.queue;
    this.#setPhase("open");
    this.#takeState(message.state);
    for (const name of ["members", "people", "place", "room", "queue", "degraded"]) {
      this.#emit(name, this[name]);
    }
    this.#clock.wake(this.#env.now());
    this.#measure();
    for (const { command } of this.#pending.values()) this.#send(command);
  }
  /**
   * States can come out of order, for a command's refusal brings one, too. At the same revision, the state with the
   * newer version of the movie counts.
   */
  #takeState(state) {
    const known = this.#state;
    const isChanged = (state.media?.version ?? 0) > (known?.media?.version ?? 0);
    if (known && (state.revision < known.revision || state.revision === known.revision && !isChanged)) return;
    this.#state = state;
    this.#emit("state", state);
  }
  #takePeople(changed, left) {
    const people = new Map(this.#people.map((member) => [member.user.id, member]));
    for (const member of changed) people.set(member.user.id, member);
    for (const id of left) people.delete(id);
    this.#people = [...people.values()];
    this.#emit("people", this.#people);
  }
  #refused(message) {
    if (message.state) this.#takeState(message.state);
    if (message.id) this.#settle(message.id, (pending) => pending.reject(new CommandError(message)));
  }
  #settle(id, how) {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#pending.delete(id);
    pending.cancelTimeout();
    how(pending);
  }
  async #renewToken() {
    const socket = this.#socket;
    try {
      const token = await this.#signIn.accessToken(this.#token ?? void 0);
      if (token === null || socket !== this.#socket) return;
      this.#token = token;
      this.#send({ t: "token", access_token: token });
    } catch {
      this.#env.after(firstDelay * 5, () => void (socket === this.#socket && this.#renewToken()));
    }
  }
  /** Asks for the time whenever the clock wants a sample. */
  #measure() {
    this.#cancelTick();
    if (this.#phase !== "open") return;
    const now = this.#env.now();
    if (now >= this.#clock.due) {
      this.#send({ t: "clock", c0: now });
      this.#clock.sent(now);
      this.#expectAnswer();
    }
    this.#cancelTick = this.#env.after(Math.max(this.#clock.due - now, 0), () => this.#measure());
  }
  #setPhase(phase) {
    if (phase === this.#phase) return;
    this.#phase = phase;
    this.#emit("phase", phase);
  }
  #emit(name, value) {
    for (const listener of this.#listeners.get(name) ?? []) listener(value);
  }
};
function fail({ reject }) {
  reject(disconnected());
}
function superseded() {
  return new CommandError({ code: "superseded", message: "Another seek came soon after this one." });
}
function disconnected() {
  return new CommandError({ code: "disconnected", message: "There is no connection to the room." });
}
function newID() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = bytes[6] & 15 | 64;
  bytes[8] = bytes[8] & 63 | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

// ../clients/typescript/src/live/correction.ts
var coarseError = 40;
var fineError = 15;
var errorDecay = 3e3;
var gentleShare = 0.05;
var firmShare = 0.1;
var firmAbove = 500;
var rateStep = 5e-3;
var seekAbove = 1e3;
var seekAboveWithoutRate = 400;
var firstSeekGap = 5e3;
var lastSeekGap = 3e4;
var calmAfter = 3e4;
var seekAttempts = 3;
var maxSeekTime = 2e3;
var maxStandingSeek = 1e3;
var firstLead = 600;
var minLead = 300;
var leadSpare = 50;
var seekVariation = 1.25;
var rateProof = 200;
var Corrector = class {
  #correcting = false;
  #pending;
  #seekTime = 150;
  #seekKnown = false;
  #startTime = 60;
  #startKnown = false;
  /** When a resting player was told to seek, until it has arrived. */
  #standing;
  #lastSeek = -Infinity;
  #gap = firstSeekGap;
  #failures = 0;
  #rateWorks = true;
  #last;
  #probe;
  /** How long a start of this player takes. */
  get startTime() {
    return this.#startTime;
  }
  /** How far ahead of the room a player is sent that is to start there: its seek should have ended by then. */
  get lead() {
    if (!this.#seekKnown) return firstLead;
    return clamp(this.#seekTime * seekVariation + this.#startTime + leadSpare, minLead, maxSeekTime);
  }
  /** Records that a resting player was told to seek. */
  seeking(now) {
    this.#standing = now;
  }
  /** Records that a resting player is ready at its new position. It may be called whenever the player is ready. */
  arrived(now) {
    if (this.#standing === void 0) return;
    const took = clamp(now - this.#standing, 0, maxStandingSeek);
    this.#seekTime = this.#seekKnown ? (this.#seekTime + took) / 2 : took;
    this.#seekKnown = true;
    this.#standing = void 0;
  }
  /** A command of the room, or a gesture of the user: what was given up is tried again. */
  reset() {
    this.#failures = 0;
    this.#gap = firstSeekGap;
    this.#lastSeek = -Infinity;
    this.#correcting = false;
    this.#forget();
  }
  /** Where to seek so that the player is at the target when it moves again. */
  aim(target, rate) {
    this.#pending = { kind: "seek", expected: -this.#seekTime, limit: 0 };
    this.#forget();
    return target + this.#seekTime * rate;
  }
  /** Notes that the player has been told to play, and how far behind it is then: negative when it is early. */
  starting(behind) {
    this.#pending = { kind: "start", expected: behind, limit: 0 };
    this.#forget();
  }
  next({ now, target, actual, rate, moving }) {
    if (!moving) {
      this.#forget();
      return { rate, gaveUp: this.#failures >= seekAttempts };
    }
    const error = target - actual;
    this.#learn(error / rate);
    this.#judgeRate(now, error / rate, rate);
    const limit = this.#rateWorks ? seekAbove : seekAboveWithoutRate;
    const size = Math.abs(error);
    if (size <= limit && this.#failures >= seekAttempts) this.#failures = 0;
    const gaveUp = this.#failures >= seekAttempts;
    if (size > limit && !gaveUp && now - this.#lastSeek >= this.#gap) return this.#seek(now, target, rate, limit);
    if (size <= coarseError && now - this.#lastSeek >= calmAfter) this.#gap = firstSeekGap;
    this.#correcting = !gaveUp && this.#rateWorks && size > (this.#correcting ? fineError : coarseError);
    const chosen = this.#correcting ? rate * (1 + share(error / rate)) : rate;
    this.#last = { now, rate: chosen };
    this.#probe = this.#correcting ? this.#probe ?? { error: error / rate, expected: 0 } : void 0;
    return { rate: chosen, gaveUp };
  }
  #seek(now, target, rate, limit) {
    if (this.#lastSeek > -Infinity) this.#gap = Math.min(this.#gap * 2, lastSeekGap);
    this.#lastSeek = now;
    this.#correcting = false;
    this.#forget();
    this.#pending = { kind: "seek", expected: -this.#seekTime, limit };
    return { rate, seek: target + this.#seekTime * rate, gaveUp: false };
  }
  /** Learns how long the last seek or start took: by how much the error has grown beyond what was expected. */
  #learn(error) {
    const pending = this.#pending;
    this.#pending = void 0;
    if (!pending) return;
    const took = clamp(error - pending.expected, 0, maxSeekTime);
    if (pending.kind === "start") {
      this.#startTime = this.#startKnown ? (this.#startTime + took) / 2 : took;
      this.#startKnown = true;
      return;
    }
    this.#seekTime = this.#seekKnown ? (this.#seekTime + took) / 2 : took;
    this.#seekKnown = true;
    if (pending.limit > 0) this.#failures = Math.abs(error) <= pending.limit / 2 ? 0 : this.#failures + 1;
  }
  /** Compares what the rate should have done with what it did. */
  #judgeRate(now, error, rate) {
    if (!this.#last || !this.#probe) return;
    this.#probe.expected += (this.#last.rate / rate - 1) * (now - this.#last.now);
    if (Math.abs(this.#probe.expected) < rateProof) return;
    if ((this.#probe.error - error) / this.#probe.expected < 0.25) this.#rateWorks = false;
    this.#probe = void 0;
  }
  #forget() {
    this.#last = void 0;
    this.#probe = void 0;
  }
};
function share(error) {
  const most = Math.abs(error) > firmAbove ? firmShare : gentleShare;
  return Math.round(clamp(error / errorDecay, -most, most) / rateStep) * rateStep;
}
function clamp(value, least, most) {
  return Math.min(Math.max(value, least), most);
}

// ../clients/typescript/src/live/follower.ts
var exactEnough = 1;
var lateStart = 120;
var tooLate = 400;
var Follower = class {
  constructor(media) {
    this.media = media;
  }
  media;
  #corrector = new Corrector();
  #anchor;
  #aligned = false;
  #prepared = false;
  /** Takes a newer state of the room. */
  set(anchor) {
    if (!this.#anchor || differ(this.#anchor, anchor)) this.retry();
    this.#anchor = anchor;
  }
  /** Starts again: the player has another source, or the user asks to catch up. */
  retry() {
    this.#corrector.reset();
    this.#aligned = false;
    this.#prepared = false;
  }
  /** Compares and acts, at a time of the client and of the server. It may be called at any time, however rarely. */
  tick(now, serverTime) {
    if (!this.#anchor || this.#anchor.state === "idle") {
      this.#stop();
      return void 0;
    }
    const anchor = due(this.#anchor, serverTime);
    if (this.media.isReady()) this.#corrector.arrived(now);
    const target = positionAt(anchor, serverTime);
    const wait = anchor.at_ms - this.#corrector.startTime - serverTime;
    if (anchor.state === "playing" && wait <= 0) return this.#move(anchor, target, now, serverTime);
    this.#stop();
    this.#align(target, now);
    return this.#standing(target, anchor.state === "playing" ? wait : void 0);
  }
  #standing(target, nextTick) {
    const isReady = this.media.isReady();
    return { target, error: void 0, gaveUp: false, isReady, ...nextTick !== void 0 && { nextTick } };
  }
  #stop() {
    if (!this.media.isPaused()) this.media.pause();
  }
  /** Seeks once for each anchor: players that miss by a little are not sent seeking again and again. */
  #align(target, now) {
    if (this.#aligned) return;
    this.#aligned = true;
    if (Math.abs(target - this.media.position()) <= exactEnough) return;
    this.media.seek(target);
    this.#corrector.seeking(now);
  }
  #move(anchor, target, now, serverTime) {
    const { media } = this;
    const ends = target >= (anchor.duration_ms ?? Infinity);
    if (media.isPaused()) {
      return this.#standing(target, ends ? void 0 : this.#start(anchor, target, now, serverTime));
    }
    const moving = media.isMoving() && !ends;
    const actual = media.position();
    const { rate, seek, gaveUp } = this.#corrector.next({ now, target, actual, rate: anchor.rate, moving });
    media.setRate(rate);
    if (seek !== void 0) media.seek(seek);
    return { target, error: moving ? target - actual : void 0, gaveUp, isReady: media.isReady() };
  }
  /**
   * Starts the player so that it is where the room is. A player that is elsewhere is first sent ahead of the room, and
   * waits there until the room comes: how long its seek takes then matters little. Returns how long to wait, if so.
   */
  #start(anchor, target, now, serverTime) {
    const { media } = this;
    const early = Math.max(anchor.at_ms - serverTime, 0);
    const behind = (target - media.position()) / anchor.rate - early;
    const isFar = behind < -tooLate || behind + this.#corrector.startTime > lateStart;
    if (isFar && !this.#prepared) {
      this.#prepared = true;
      media.seek(target + this.#corrector.lead * anchor.rate);
      this.#corrector.seeking(now);
      return void 0;
    }
    if (!media.isReady()) return void 0;
    const wait = -behind - this.#corrector.startTime;
    if (wait > 0) return wait;
    media.setRate(anchor.rate);
    if (behind > tooLate) media.seek(this.#corrector.aim(target, anchor.rate));
    else this.#corrector.starting(behind);
    media.play();
    return void 0;
  }
};

// ../clients/typescript/src/live/subtitles.ts
function setSubtitles(video, subtitles, signal, failed) {
  for (const track of video.textTracks) {
    changeCues(track, () => {
      for (const cue of [...track.cues ?? []]) track.removeCue(cue);
    });
  }
  for (const { language, url } of subtitles) {
    const track = findTrack(video, language);
    const loader = document.createElement("video");
    loader.crossOrigin = "anonymous";
    const element = loader.appendChild(document.createElement("track"));
    element.src = url;
    element.addEventListener("load", () => changeCues(track, () => {
      for (const cue of [...element.track.cues ?? []]) track.addCue(cue);
    }), { signal });
    element.addEventListener("error", () => failed(language), { signal });
    element.track.mode = "hidden";
  }
}
function changeCues(track, change) {
  const { mode } = track;
  if (mode === "disabled") track.mode = "hidden";
  change();
  track.mode = mode;
}
function findTrack(video, language) {
  const known = [...video.textTracks].find((track2) => track2.language === language);
  if (known) return known;
  const track = video.addTextTrack("subtitles", nameOf(language), language);
  track.mode = "disabled";
  return track;
}
function nameOf(language) {
  try {
    return new Intl.DisplayNames([language], { type: "language" }).of(language) ?? language;
  } catch {
    return language;
  }
}

// ../clients/typescript/src/live/video.ts
var VideoMedia = class {
  constructor(video, changed) {
    this.video = video;
    this.changed = changed;
  }
  video;
  changed;
  obstacle;
  /** The position at the last seek or call of play, in seconds: the player has moved once it shows another one. */
  #still = -1;
  #loads = 0;
  position() {
    return this.video.currentTime * 1e3;
  }
  isPaused() {
    return this.video.paused;
  }
  isReady() {
    const { seeking, readyState } = this.video;
    return !seeking && readyState >= HTMLMediaElement.HAVE_FUTURE_DATA;
  }
  isMoving() {
    return !this.video.paused && this.isReady() && this.video.currentTime !== this.#still;
  }
  seek(position) {
    this.video.currentTime = position / 1e3;
    this.#still = this.video.currentTime;
  }
  setRate(rate) {
    if (this.video.playbackRate !== rate) this.video.playbackRate = rate;
  }
  play() {
    if (this.obstacle) return;
    this.#still = this.video.currentTime;
    const stream = this.#loads;
    this.video.play().catch((error) => {
      if (stream !== this.#loads) return;
      if (error.name === "NotAllowedError") this.#stopBy("autoplay");
      else if (error.name === "NotSupportedError") this.#stopBy("unplayable");
    });
  }
  pause() {
    this.video.pause();
  }
  /** Has the element play another stream, or none. By default the stream becomes the `src`. */
  load(url, how) {
    this.obstacle = void 0;
    this.#still = -1;
    this.#loads++;
    if (url && how) return how(this.video, url);
    if (url) this.video.src = url;
    else this.video.removeAttribute("src");
    this.video.load();
  }
  fail() {
    this.#stopBy("unplayable");
  }
  #stopBy(obstacle) {
    this.obstacle = obstacle;
    this.changed();
  }
};

// ../clients/typescript/src/live/watch.ts
var tickGap = 250;
var slept = 2e3;
var stallTime = 2e3;
var statusGap = 1e3;
var statusTime = 1e4;
function watchTogether(video, room, options = {}) {
  return new Watch(video, room, options);
}
var Watch = class {
  constructor(video, room, options) {
    this.video = video;
    this.room = room;
    this.options = options;
    this.#media = new VideoMedia(video, () => this.#tick());
    this.#follower = new Follower(this.#media);
    video.preservesPitch = true;
    video.preload = "auto";
    const { signal } = this.#abort;
    const tick = () => this.#tick();
    for (const name of [
      "loadedmetadata",
      "canplay",
      "seeked",
      "playing",
      "waiting",
      "pause",
      "ended",
      "volumechange"
    ]) {
      video.addEventListener(name, tick, { signal });
    }
    video.addEventListener("error", () => this.#media.fail(), { signal });
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") room.wake();
      this.#tick();
    }, { signal });
    addEventListener("online", () => room.reconnect(), { signal });
    this.#unsubscribe = [room.on("state", () => this.#take()), room.on("phase", () => this.#reconnected())];
    this.#take();
  }
  video;
  room;
  options;
  view = {
    error: void 0,
    position: void 0,
    gaveUp: false,
    obstacle: void 0,
    stalled: false,
    failedSubtitles: []
  };
  #media;
  #follower;
  #abort = new AbortController();
  #unsubscribe;
  #waitForMe = true;
  #loaded = "";
  #subtitles = new AbortController();
  #subtitled;
  #failedSubtitles = [];
  #state;
  #lastTick = performance.now();
  #timer;
  #starvedSince;
  #readyCue = -1;
  #reported = "";
  #reportedAt = -Infinity;
  get waitForMe() {
    return this.#waitForMe;
  }
  set waitForMe(value) {
    this.#waitForMe = value;
    this.#tick();
  }
  catchUp() {
    this.#media.obstacle = void 0;
    this.#follower.retry();
    this.#tick();
  }
  stop() {
    clearTimeout(this.#timer);
    this.#abort.abort();
    this.#subtitles.abort();
    for (const unsubscribe of this.#unsubscribe) unsubscribe();
    this.video.pause();
  }
  #take() {
    const { state } = this.room;
    if (!state) return;
    this.#state = state;
    const url = state.media?.stream_url ?? "";
    if (url !== this.#loaded) this.#load(url);
    this.#subtitle(state.media?.subtitles ?? []);
    this.#follower.set(state);
    this.#tick();
  }
  #load(url) {
    this.#loaded = url;
    this.#readyCue = -1;
    this.#starvedSince = void 0;
    this.#media.load(url, this.options.load);
    this.#follower.retry();
    this.#subtitled = void 0;
  }
  /** Two movies may have one stream and other subtitles. */
  #subtitle(subtitles) {
    const content = JSON.stringify(subtitles);
    if (content === this.#subtitled) return;
    this.#subtitled = content;
    this.#subtitles.abort();
    this.#subtitles = new AbortController();
    this.#failedSubtitles = [];
    setSubtitles(this.video, subtitles, this.#subtitles.signal, (language) => {
      this.#failedSubtitles = [...this.#failedSubtitles, language];
      this.#tick();
    });
  }
  /** Reports everything again: the new connection may be to a process that does not know this player's status. */
  #reconnected() {
    if (this.room.phase !== "open") return;
    this.#readyCue = -1;
    this.#reportedAt = -Infinity;
    this.#tick();
  }
  #tick() {
    if (this.#abort.signal.aborted) return;
    const now = performance.now();
    if (now - this.#lastTick > slept) this.room.wake();
    this.#lastTick = now;
    const time2 = this.room.serverTime();
    const hasStream = this.#loaded !== "" && this.video.readyState >= HTMLMediaElement.HAVE_METADATA;
    const following = time2 !== void 0 && hasStream ? this.#follower.tick(now, time2) : void 0;
    this.#show(now, following);
    this.#report(now, following);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tick(), Math.min(following?.nextTick ?? tickGap, tickGap));
  }
  #show(now, following) {
    const starved = this.#state?.state === "playing" && !this.video.paused && !this.video.ended && !this.#media.isReady();
    this.#starvedSince = starved ? this.#starvedSince ?? now : void 0;
    this.view = {
      error: following?.error,
      position: following?.target,
      gaveUp: following?.gaveUp ?? false,
      obstacle: this.#media.obstacle,
      stalled: this.#starvedSince !== void 0 && now - this.#starvedSince > stallTime,
      failedSubtitles: this.#failedSubtitles
    };
    this.options.onView?.(this.view);
  }
  #report(now, following) {
    const state = this.#state;
    if (!state || this.room.phase !== "open" || state.state === "idle") return;
    if (following?.isReady && state.cue !== this.#readyCue) {
      this.#readyCue = state.cue;
      const { duration } = this.video;
      this.room.ready(state.epoch, state.cue, Number.isFinite(duration) ? Math.round(duration * 1e3) : void 0);
    }
    const { obstacle, stalled } = this.view;
    const status = {
      epoch: state.epoch,
      cue: state.cue,
      stalled,
      blocked: obstacle !== void 0 || this.#loaded === "",
      watching: document.visibilityState === "visible" || !this.video.muted,
      wait_for_me: this.#waitForMe,
      ended: this.video.ended
    };
    const text = JSON.stringify(status);
    const gap = text === this.#reported ? statusTime : statusGap;
    if (now - this.#reportedAt < gap) return;
    this.#reported = text;
    this.#reportedAt = now;
    if (stalled) this.#readyCue = -1;
    const { delay } = this.room.clock ?? {};
    this.room.report({
      ...status,
      position_ms: Math.round(this.#media.position()),
      ...following?.error !== void 0 && { drift_ms: -following.error },
      ...delay !== void 0 && { rtt_ms: delay }
    });
  }
};

// watch/report.ts
var kinds = {
  spam: "Advertisements or spam",
  harassment: "Harassment",
  hate: "Hate",
  sexual: "Sexual content",
  violence: "Violence",
  illegal: "Something illegal",
  other: "Something else"
};
function report(title, target) {
  const status = el("p", { class: "problem", role: "alert" });
  const submit = el("button", { type: "submit", class: "primary" }, "Report");
  const form2 = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        submit.disabled = true;
        const data = new FormData(form2);
        const text = String(data.get("text") ?? "").trim();
        api.POST("/abuse-reports", { body: { ...target, kind: data.get("kind"), ...text && { text } } }).then(() => {
          dialog.close();
          toast("Thank you. The admins will look at it.");
        }, (error) => {
          status.textContent = explain(error);
        }).finally(() => {
          submit.disabled = false;
        });
      }
    },
    el("h2", {}, title),
    field("What is wrong", el(
      "select",
      { name: "kind" },
      ...Object.entries(kinds).map(([value, label]) => el("option", { value }, label))
    )),
    field("What the admins should know", el("textarea", { name: "text", rows: 3, maxlength: 1e3 })),
    el("p", { class: "quiet small" }, "Only admins see who reported it."),
    status,
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), submit)
  );
  const dialog = openDialog(title, {}, form2);
}

// watch/chat.ts
var pageSize2 = 50;
var maxPages2 = 10;
var maxExcerpt = 140;
var together = 5 * 6e4;
var Chat = class {
  constructor(room, roomID) {
    this.room = room;
    this.roomID = roomID;
    const form2 = el(
      "form",
      { class: "say row", onsubmit: (event) => {
        event.preventDefault();
        return this.#post();
      } },
      this.#input,
      this.#send
    );
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.#subject) this.#write(void 0);
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      form2.requestSubmit();
    });
    this.element = el(
      "div",
      { class: "chat" },
      el("div", { class: "scroll" }, this.#older, this.#empty, this.#list),
      this.#heard,
      this.#aboutRow,
      form2
    );
    room.on("message", (message) => this.#take(message));
    room.on("hidden", (user) => this.#hide(user));
    room.on("phase", (phase) => {
      if (phase === "open") this.#load();
    });
    room.on("place", () => this.#render());
    room.on("room", () => this.#renderForm());
    this.#load();
  }
  room;
  roomID;
  element;
  /** Called when a message comes that nobody here has seen yet. */
  onNew = () => {
  };
  #list = el("ol", { class: "messages", tabindex: 0, "aria-label": "Messages" });
  #older = el("button", { type: "button", class: "plain", hidden: true, onclick: () => this.#loadOlder() }, "Earlier mes\
sages");
  #empty = el("p", { class: "quiet empty-chat", hidden: true }, "No messages yet.");
  #input = el("textarea", {
    name: "body",
    rows: 1,
    maxlength: 2e3,
    "aria-label": "Your message",
    placeholder: "Say something"
  });
  #send = iconButton("send", "Send", { type: "submit" });
  #about = el("span", { class: "line grow quiet small" });
  #aboutRow = el(
    "div",
    { class: "about row between", hidden: true },
    this.#about,
    iconButton("close", "Write a new message instead", { class: "icon-button small", onclick: () => this.#write(void 0) })
  );
  #heard = el("p", { class: "unseen", "aria-live": "polite" });
  #messages = /* @__PURE__ */ new Map();
  #items = new ItemList(this.#list);
  /** Which edits and deletions are known. */
  #updates = null;
  #loading = Promise.resolve();
  /** What was known when something may have been missed, until that is loaded. */
  #known;
  #before = null;
  /** The message that is answered or edited; a new one is written otherwise. */
  #subject;
  /** Loads what is new: at the beginning, and whenever something may have been missed. */
  #load() {
    const known = this.#known ??= new Set(this.#messages.keys());
    this.#loading = this.#loading.then(() => this.#catchUp(known)).catch((error) => toast(explain(error)));
  }
  async #catchUp(known) {
    for (let before = null, pages = 1; ; pages++) {
      const { data } = await this.#page(before ? { before } : {});
      const meets = data.data.some(({ id }) => known.has(id));
      if (pages === 1) this.#updates ??= data.updates_cursor;
      if (known.size === 0) this.#before = data.next_cursor;
      for (const message of data.data) this.#keep(message);
      before = data.next_cursor;
      if (known.size === 0 || meets || !before) break;
      if (pages < maxPages2) continue;
      for (const id of known) this.#messages.delete(id);
      this.#before = before;
      break;
    }
    while (known.size > 0 && this.#updates) {
      const { data } = await this.#page({ updated_after: this.#updates });
      for (const message of data.data) if (this.#messages.has(message.id)) this.#keep(message);
      this.#updates = data.updates_cursor;
      if (data.data.length < pageSize2) break;
    }
    this.#known = void 0;
    this.#render();
    if (known.size === 0) this.#scrollDown();
  }
  #page(cursor) {
    return api.GET("/chat/messages", { params: { query: { room_id: this.roomID, limit: pageSize2, ...cursor } } }).then(
    ({ data }) => ({ data }));
  }
  /** Stores a message as it is now, in the quotes of it, too. */
  #keep(message) {
    this.#messages.set(message.id, message);
    const excerpt = [...message.body].slice(0, maxExcerpt).join("");
    for (const [id, other] of this.#messages) {
      if (other.reply_to?.id !== message.id || other.reply_to.excerpt === excerpt) continue;
      this.#messages.set(id, { ...other, reply_to: { ...other.reply_to, excerpt } });
    }
  }
  /** Removes what a person has written, from the quotes of it, too. */
  #hide(user) {
    for (const [id, message] of this.#messages) {
      const { author, reply_to: quote } = message;
      if (author?.id === user) this.#messages.delete(id);
      else if (quote?.author?.id === user) this.#messages.set(id, { ...message, reply_to: { ...quote, excerpt: "" } });
    }
    this.#render();
  }
  async #loadOlder() {
    if (!this.#before) return;
    try {
      const { data } = await this.#page({ before: this.#before });
      for (const message of data.data) this.#keep(message);
      this.#before = data.next_cursor;
      const scroll = this.#list.parentElement;
      const fromBottom = scroll.scrollHeight - scroll.scrollTop;
      this.#render();
      scroll.scrollTop = scroll.scrollHeight - fromBottom;
    } catch (error) {
      toast(explain(error));
    }
  }
  async #post() {
    const written = this.#input.value;
    const body = written.trim();
    if (!body) return;
    const subject = this.#subject;
    try {
      const { data } = subject?.edits ? await api.PATCH("/chat/messages/{message_id}", {
        params: { path: { message_id: subject.message.id } },
        body: { body }
      }) : await api.POST("/chat/messages", { body: {
        room_id: this.roomID,
        body,
        ...subject && { reply_to_id: subject.message.id }
      } });
      const { value } = this.#input;
      const more = value.startsWith(written) ? value.slice(written.length) : value;
      if (this.#subject === subject) {
        this.#write(void 0);
        this.#input.value = more;
      }
      this.#take(data.data);
      if (!subject?.edits) this.#scrollDown();
    } catch (error) {
      toast(explain(error));
    }
  }
  /** Begins an answer, an edit, or a new message. */
  #write(subject) {
    if (!subject || subject.edits || this.#subject?.edits) this.#input.value = subject?.edits ? subject.message.body : "";
    this.#subject = subject;
    this.#aboutRow.hidden = !subject;
    if (!subject) return;
    const name = subject.message.author?.display_name ?? "a deleted account";
    this.#about.textContent = subject.edits ? "You edit your message." : `To ${name}: ${subject.message.body}`;
    this.#input.focus();
  }
  #take(message) {
    const isNew = !this.#messages.has(message.id);
    if (isNew && this.#before !== null && (this.#sorted()[0]?.created_at ?? "") > message.created_at) {
      return;
    }
    const scroll = this.#list.parentElement;
    const atBottom = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight < 60;
    this.#keep(message);
    this.#render();
    if (!isNew) return;
    if (atBottom) this.#scrollDown();
    if (message.author?.id === this.room.place?.user.id) return;
    this.#heard.textContent = `${message.author?.display_name ?? "Somebody"}: ${message.body}`;
    this.onNew();
  }
  #scrollDown() {
    const scroll = this.#list.parentElement;
    scroll.scrollTop = scroll.scrollHeight;
  }
  #render() {
    this.#older.hidden = this.#before === null;
    this.#empty.hidden = this.#messages.size > 0;
    const { place } = this.room;
    this.#items.show(this.#sorted().map((message, i, all) => ({
      key: message.id,
      shows: [message, all[i - 1]?.created_at, all[i - 1]?.author?.id, place?.permissions, place?.user.id],
      make: () => this.#item(message, all[i - 1])
    })));
    this.#renderForm();
  }
  #sorted() {
    return [...this.#messages.values()].sort((a, b) => a.created_at < b.created_at ? -1 : a.created_at > b.created_at ? 1 :
    a.id < b.id ? -1 : 1);
  }
  #renderForm() {
    const { room } = this.room;
    const may = this.#mayWrite();
    this.#input.disabled = !may;
    this.#send.disabled = !may;
    const slow = room && room.slow_mode_seconds > 0 ? `Say something (one message every ${room.slow_mode_seconds} s)` : "\
Say something";
    this.#input.placeholder = may ? slow : "You are muted here";
  }
  #item(message, before) {
    const items = [];
    const newDay = !before || day(before.created_at) !== day(message.created_at);
    if (newDay) items.push(el("li", { class: "day" }, day(message.created_at)));
    const follows = !newDay && before?.author?.id === message.author?.id && Date.parse(message.created_at) - Date.parse(
    before.created_at) < together;
    const name = message.author?.display_name ?? "Deleted account";
    const head = el("span", { class: "head row" }, el("strong", {}, name), el(
      "time",
      { datetime: message.created_at },
      timeOfDay(message.created_at)
    ));
    head.style.setProperty("--hue", String(hue(message.author?.id ?? "")));
    items.push(el(
      "li",
      { class: follows ? "message follows" : "message", tabindex: -1 },
      follows ? el("span", { class: "unseen" }, `${name}, ${timeOfDay(message.created_at)}`) : head,
      message.deleted ? el("em", { class: "quiet" }, "This message was deleted.") : el(
        "p",
        {},
        message.reply_to && (message.reply_to.excerpt ? el("q", { class: "quiet" }, message.reply_to.excerpt) : el("em",
        { class: "quiet" }, "Reply to a deleted message. ")),
        message.body,
        message.edited_at !== null && el("span", { class: "quiet" }, " (edited)")
      ),
      !message.deleted && el("span", { class: "acts row" }, ...this.#acts(message))
    ));
    return items;
  }
  #acts(message) {
    const own = message.author?.id === this.room.place?.user.id;
    const act = (name, label, onclick) => iconButton(name, label, {
      class: "icon-button small",
      onclick
    });
    return [
      this.#mayWrite() && act("reply", "Answer this message", () => this.#write({ message, edits: false })),
      this.#mayWrite() && own && act("edit", "Edit this message", () => this.#write({ message, edits: true })),
      !own && message.author !== null && act("flag", "Report this message", () => report("Report this message", {
        message_id: message.id
      })),
      this.#mayDelete(message) && act("close", "Delete this message", () => this.#delete(message))
    ];
  }
  #mayWrite() {
    return this.room.place?.permissions.includes("post_message") ?? true;
  }
  #mayDelete(message) {
    const { place } = this.room;
    if (!place) return false;
    return message.author?.id === place.user.id || place.permissions.includes("delete_message");
  }
  async #delete(message) {
    try {
      await api.DELETE("/chat/messages/{message_id}", { params: { path: { message_id: message.id } } });
      this.#take({ ...message, body: "", deleted: true });
    } catch (error) {
      toast(explain(error));
    }
  }
};

// watch/invite.ts
function invite(room, roomID) {
  const link = `${location.origin}${location.pathname}?room=${roomID}`;
  const address = el("input", { name: "link", value: link, readonly: true, onfocus: () => address.select() });
  const status = el("p", { class: "problem", role: "alert" });
  const sent = el("p", { role: "status" });
  const email = el("input", {
    name: "email",
    type: "email",
    required: true,
    maxlength: 254,
    autocomplete: "off",
    placeholder: "friend@example.org"
  });
  const submit = el("button", { type: "submit", class: "primary" }, "Send the invitation");
  const form2 = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        submit.disabled = true;
        status.textContent = sent.textContent = "";
        api.POST("/rooms/{room_id}/invitations", {
          params: { path: { room_id: roomID } },
          body: { email: email.value.trim() }
        }).then(() => {
          sent.textContent = `The invitation to ${email.value.trim()} is on its way.`;
          form2.reset();
        }, (error) => {
          status.textContent = explain(error);
        }).finally(() => {
          submit.disabled = false;
        });
      }
    },
    field("Or by email", email),
    status,
    sent,
    el("div", { class: "row end" }, submit)
  );
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(link);
      toast("The link is copied.");
    } catch {
      address.select();
    }
  };
  const dialog = openDialog("Invite people", {}, el(
    "div",
    { class: "stack" },
    el("h2", {}, "Invite people"),
    field("The link to this room", address),
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => void copy() }, "Copy the link")),
    room.place?.permissions.includes("invite") && form2,
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, "Close"))
  ));
}

// watch/movies.ts
var typingGap = 300;
var maxSearch = 100;
function chooseMovie(room, title, take) {
  const status = el("p", { class: "problem", role: "alert" });
  const movieList = el("ul", { class: "movies" });
  const attempt2 = (choice) => {
    status.textContent = "";
    return take(choice).then(() => dialog.close(), (error) => {
      status.textContent = explain(error);
    });
  };
  let asking = new AbortController();
  const load = () => {
    asking.abort();
    asking = new AbortController();
    const { signal } = asking;
    const words = search.value.trim().slice(0, maxSearch);
    status.textContent = "";
    playableMovies(words, signal).then((movies) => {
      if (signal.aborted) return;
      movieList.replaceChildren(...movies.map((movie) => el("li", {}, movieButton(movie, () => attempt2({
        movie_id: movie.id
      })))));
      if (movies.length === 0) movieList.append(el("li", { class: "quiet" }, words ? "No movie that can be played has th\
is title." : "The catalogue has no movie that can be played."));
    }, (error) => {
      if (signal.aborted) return;
      movieList.replaceChildren();
      status.textContent = explain(error);
    });
  };
  let typing;
  const search = el("input", {
    name: "q",
    type: "search",
    "aria-label": "Search the catalogue",
    placeholder: "Search",
    autocomplete: "off",
    oninput: () => {
      clearTimeout(typing);
      typing = setTimeout(load, typingGap);
    }
  });
  const role = room.place?.role;
  const address = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        const data = new FormData(address);
        const name = String(data.get("title") ?? "").trim();
        return attempt2({ stream_url: String(data.get("url")), ...name && { title: name } });
      }
    },
    el("h3", {}, "Or an address"),
    field(
      "Address of a video",
      el("input", {
        name: "url",
        type: "url",
        required: true,
        pattern: "https://.*",
        placeholder: "https://…"
      }),
      "MP4 or WebM, by https. The server never opens it."
    ),
    field("Title", el("input", { name: "title", maxlength: 200 })),
    el("div", {}, el("button", { type: "submit" }, "Use this address"))
  );
  const dialog = openDialog(
    title,
    { class: "wide" },
    el(
      "div",
      { class: "stack" },
      el(
        "div",
        { class: "row between" },
        el("h2", {}, title),
        iconButton("close", "Close", { onclick: () => dialog.close() })
      ),
      search,
      movieList,
      status,
      (role === "host" || role === "moderator") && address
    )
  );
  movieList.append(el("li", { class: "quiet", role: "status" }, "One moment…"));
  load();
}
function movieButton(movie, onclick) {
  const poster = el("span", { class: "poster" }, icon("film"));
  if (movie.poster_url) showPoster(poster, movie.poster_url);
  return el(
    "button",
    { type: "button", class: "movie", onclick },
    poster,
    el("span", { class: "name" }, movie.title),
    el("span", { class: "quiet small" }, `${movie.year} · ${movie.runtime_minutes} min`)
  );
}

// watch/person.ts
function outranks(room, person) {
  return person.role !== "host" && (room.place?.role === "host" || person.role === "viewer");
}
function quitRoom(room, roomID, exit2) {
  const status = el("p", { class: "problem", role: "alert" });
  const params = { path: { room_id: roomID } };
  const act = (request, done) => request().then(() => {
    exit2();
    toast(done);
  }, (error) => {
    status.textContent = explain(error);
    if (error instanceof ProblemError && error.code === "no_next_host") archive.hidden = false;
  });
  const quit = () => act(() => api.DELETE("/rooms/{room_id}/me", { params }), "You are not in that room any more.");
  const archive = el("button", {
    type: "button",
    class: "danger",
    hidden: true,
    onclick: () => act(
      () => api.PATCH("/rooms/{room_id}", { params, body: { state: "archived" } }),
      "The room is archived."
    )
  }, "Archive the room");
  const dialog = openDialog("About you", {}, el(
    "div",
    { class: "stack" },
    el("h2", { class: "line" }, room.place?.user.display_name ?? ""),
    el(
      "p",
      {},
      "Closing this page does not remove you from the room. If you quit, the room leaves your list and ",
      "you get no reminders of its parties.",
      room.place?.role === "host" ? " Another member becomes the host." : ""
    ),
    status,
    el(
      "div",
      { class: "row end" },
      el("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, "Close"),
      archive,
      el("button", { type: "button", class: "danger", onclick: quit }, "Quit the room")
    )
  ));
}
function managePerson(room, roomID, person) {
  const { username, display_name: name } = person.user;
  const permissions = room.place?.permissions ?? [];
  const may = (permission) => permissions.includes(permission) && outranks(room, person);
  const status = el("p", { class: "problem", role: "alert" });
  const path = { room_id: roomID, username };
  const act = (label, done, request, kind = "") => el("button", {
    type: "button",
    class: kind,
    onclick: () => request().then(() => {
      dialog.close();
      toast(done);
    }, (error) => {
      status.textContent = explain(error);
    })
  }, label);
  const mute = (label, minutes) => act(label, `${name} is muted.`, () => api.POST("/rooms/{room_id}/mutes", {
    params: { path: { room_id: roomID } },
    body: { username, until: new Date(Date.now() + minutes * 6e4).toISOString() }
  }));
  const giveRole = (role) => api.PATCH("/rooms/{room_id}/participants/{username}", {
    params: { path },
    body: { role }
  });
  const title = `@${username}`;
  const dialog = openDialog(title, {}, el(
    "div",
    { class: "stack" },
    el("h2", { class: "line" }, name),
    status,
    el(
      "div",
      { class: "stack choices" },
      may("set_role") && (person.role === "viewer" ? act("Make moderator", `${name} is a moderator now.`, () => giveRole(
      "moderator")) : act("Make viewer", `${name} is a viewer now.`, () => giveRole("viewer"))),
      may("mute") && !person.muted && mute("Mute for 10 minutes", 10),
      may("mute") && !person.muted && mute("Mute for a day", 24 * 60),
      may("mute") && person.muted && act("Lift the mute", `${name} may write again.`, () => api.DELETE("/rooms/{room_id}\
/mutes/{username}", { params: { path } })),
      may("kick") && act("Remove from the room", `${name} was removed.`, () => api.DELETE("/rooms/{room_id}/participants\
/{username}", { params: { path } })),
      may("ban") && act("Ban from the room", `${name} is banned.`, () => api.POST("/rooms/{room_id}/bans", { params: { path: {
      room_id: roomID } }, body: { username } }), "danger"),
      el("button", {
        type: "button",
        onclick: () => {
          dialog.close();
          report(`Report ${name}`, { username });
        }
      }, "Report to the admins")
    ),
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, "Close"))
  ));
}

// watch/people.ts
function showPicture(place, url) {
  const image = el("img", { src: url, alt: "", onload: () => place.replaceChildren(image) });
}
var People = class {
  constructor(room, roomID, exit2, waitForMe) {
    this.room = room;
    this.roomID = roomID;
    this.exit = exit2;
    this.#waitForMe = el("input", { type: "checkbox", checked: true, onchange: () => waitForMe(this.#waitForMe.checked) });
    this.element.append(this.#list, el(
      "label",
      { class: "check row" },
      this.#waitForMe,
      "The others wait until my player is ready"
    ));
    for (const name of ["people", "members", "place"]) room.on(name, () => this.#render());
    this.#render();
  }
  room;
  roomID;
  exit;
  element = el("div", { class: "scroll" });
  #list = el("ul", { class: "people" });
  #items = new ItemList(this.#list);
  #waitForMe;
  get count() {
    return this.room.people.filter(({ connected }) => connected).length;
  }
  #render() {
    const rank = { host: 0, moderator: 1, viewer: 2 };
    const people = [...this.room.people].sort((a, b) => Number(b.connected) - Number(a.connected) || rank[a.role] - rank[b.
    role]);
    const { place, members } = this.room;
    this.#items.show(people.map((person) => {
      const isMe = person.user.id === place?.user.id;
      const waits = members.waiting_for.some(({ id }) => id === person.user.id);
      return { key: person.user.id, shows: [person, isMe, waits], make: () => [this.#item(person, isMe, waits)] };
    }));
  }
  #item(person, isMe, waits) {
    const { id, username, display_name: name, avatar: pictures } = person.user;
    const avatar = el("span", { class: "avatar", "aria-hidden": "true" }, name.charAt(0).toUpperCase());
    avatar.style.setProperty("--hue", String(hue(id)));
    if (!pictures.default) showPicture(avatar, pictures.thumbnail);
    return el(
      "li",
      { class: person.connected ? "person" : "person away" },
      avatar,
      el(
        "span",
        { class: "stack-none grow" },
        el("span", { class: "line" }, isMe ? `${name} (you)` : name),
        el("span", { class: "quiet small" }, `@${username}`, person.connected ? "" : " · away", person.muted ? " · mute\
d" : "")
      ),
      waits && el("span", { class: "badge warn" }, "not ready"),
      person.role !== "viewer" && el("span", { class: "badge" }, person.role),
      iconButton("more", isMe ? "About you" : `About ${name}`, {
        class: "icon-button small",
        onclick: () => isMe ? quitRoom(this.room, this.roomID, this.exit) : managePerson(this.room, this.roomID, person)
      })
    );
  }
};

// watch/player.ts
var figureGap = 500;
var rates = [0.5, 0.75, 1, 1.25, 1.5, 2];
var mediaKeys = ["play", "pause", "seekbackward", "seekforward"];
var Player = class {
  /** `hasNext` says whether there is a movie to begin with. */
  constructor(room, choose, hasNext) {
    this.room = room;
    this.choose = choose;
    this.hasNext = hasNext;
    const mayNot = el("p", { class: "quiet may-not" });
    this.#controls = el(
      "div",
      { class: "controls", role: "group", "aria-label": "Playback" },
      this.#position,
      el(
        "div",
        { class: "row" },
        this.#play,
        this.#back,
        this.#forward,
        this.#times,
        el("span", { class: "grow" }),
        this.#mute,
        this.#volume,
        this.#rate,
        this.#captions,
        this.#skip,
        this.#whole
      )
    );
    const screen = el("div", { class: "screen" }, this.#video, this.#curtain, this.#notice);
    this.element = el(
      "section",
      { class: "player", "aria-label": "Movie" },
      screen,
      this.#controls,
      el("div", { class: "row between below" }, this.#title, this.#sync),
      mayNot
    );
    this.#watching = watchTogether(this.#video, room, { onView: (view) => this.#show(view) });
    for (const name of ["volumechange", "play", "pause"]) this.#video.addEventListener(name, () => this.#render());
    this.#video.addEventListener("click", () => this.toggle());
    for (const name of ["state", "place", "members", "phase", "loss", "people", "room", "degraded"]) {
      room.on(name, () => this.#render());
    }
    this.#mediaKeys();
    this.#render();
  }
  room;
  choose;
  hasNext;
  element;
  #video = el("video", { playsinline: true, tabindex: -1 });
  #watching;
  #play = iconButton("play", "Play", { onclick: () => this.toggle() });
  #back = iconButton("back", "Back 10 seconds", { onclick: () => this.seekBy(-1e4) });
  #forward = iconButton("forward", "Forward 10 seconds", { onclick: () => this.seekBy(1e4) });
  #skip = iconButton("skip", "Skip this movie", { onclick: () => this.#send({ t: "skip" }) });
  #position = el("input", {
    type: "range",
    class: "position",
    min: 0,
    max: 0,
    step: 1,
    value: 0,
    "aria-label": "Position in the movie",
    oninput: () => this.#drag(),
    onchange: () => this.#drop()
  });
  #times = el("span", { class: "times" }, "0:00");
  #rate = el("select", {
    "aria-label": "Speed",
    onchange: () => this.#send({ t: "rate", rate: Number(this.#rate.value) })
  }, ...rates.map((rate) => el("option", { value: rate, ...rate === 1 && { selected: true } }, `${rate}×`)));
  #mute = iconButton("loud", "Mute", { onclick: () => this.mute() });
  #volume = el("input", {
    type: "range",
    class: "volume",
    min: 0,
    max: 1,
    step: 0.05,
    value: 1,
    "aria-label": "Volume",
    oninput: () => {
      this.#video.volume = Number(this.#volume.value);
      this.#video.muted = false;
    }
  });
  #captions = iconButton("captions", "Subtitles", { hidden: true, onclick: () => this.captions() });
  #whole = iconButton("whole", "Whole screen", { onclick: () => this.whole() });
  #controls;
  #curtain = el("div", { class: "curtain" });
  #notice = el("p", { class: "notice", role: "status" });
  #sync = el("span", { class: "sync" });
  #left = el("p", { class: "countdown", role: "timer" });
  #title = el("h2", { class: "line" });
  #dragged = false;
  /** Where the person wants to go, until the room has answered: the next step goes on from there. */
  #sought;
  #curtainKey = "";
  #figuresAt = 0;
  get waitForMe() {
    return this.#watching.waitForMe;
  }
  set waitForMe(value) {
    this.#watching.waitForMe = value;
  }
  stop() {
    this.#watching.stop();
    this.#video.removeAttribute("src");
    this.#video.load();
    if (!("mediaSession" in navigator)) return;
    navigator.mediaSession.metadata = null;
    navigator.mediaSession.playbackState = "none";
    for (const key2 of mediaKeys) navigator.mediaSession.setActionHandler(key2, null);
  }
  /** Shows what depends on the queue. */
  refresh() {
    this.#renderCurtain(this.#watching.view);
  }
  get mayControl() {
    return this.room.place?.permissions.includes("control_playback") ?? false;
  }
  /** What a person asks for with the one button. */
  toggle() {
    const { state } = this.room;
    if (this.#watching.view.obstacle === "autoplay") return this.#watching.catchUp();
    if (!state || state.state === "idle") return;
    if (!this.mayControl) return toast(this.#whoControls());
    const plays = state.state === "playing" || state.state === "waiting" && state.wait?.then_play;
    if (plays) this.#send({ t: "pause", position_ms: this.#shown(state) });
    else this.#send({ t: "play" });
  }
  seekBy(milliseconds) {
    const { state } = this.room;
    if (!state || state.state === "idle") return;
    if (!this.mayControl) return toast(this.#whoControls());
    const position = (this.#sought ?? this.#watching.view.position ?? state.position_ms) + milliseconds;
    this.#seekTo(Math.round(Math.min(Math.max(position, 0), this.#duration(state) || Infinity)));
  }
  #seekTo(position) {
    this.#sought = position;
    void this.#send({ t: "seek", position_ms: position }).then(() => {
      if (this.#sought === position) this.#sought = void 0;
    });
  }
  mute() {
    this.#video.muted = !this.#video.muted;
  }
  whole() {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void this.element.requestFullscreen().catch(() => toast("This browser has no full screen."));
  }
  /** Goes through the languages of the movie, and none. The video also has the tracks of the movies before. */
  captions() {
    const languages = this.room.state?.media?.subtitles.map(({ language }) => language) ?? [];
    if (languages.length === 0) return toast("This movie has no subtitles.");
    const all = [...this.#video.textTracks];
    const tracks = all.filter(({ language }) => languages.includes(language));
    const shown2 = tracks.findIndex(({ mode }) => mode === "showing");
    for (const track of all) track.mode = "disabled";
    const next = tracks[shown2 + 1];
    if (next) next.mode = "showing";
    toast(next ? `Subtitles: ${next.label}` : "No subtitles");
  }
  #send(command) {
    return this.room.command(command).then(() => void 0, (error) => {
      if (error.code !== "superseded") toast(explain(error));
    });
  }
  /** The position that the person sees, if the player follows; else the room's. */
  #shown(state) {
    const { error, position } = this.#watching.view;
    return Math.max(
      Math.round(error === void 0 ? position ?? state.position_ms : this.#video.currentTime * 1e3),
      0
    );
  }
  #duration(state) {
    const own = this.#video.duration;
    return state.duration_ms ?? (Number.isFinite(own) ? own * 1e3 : 0);
  }
  #drag() {
    this.#dragged = true;
    this.#showTimes(Number(this.#position.value) * 1e3);
  }
  #drop() {
    this.#dragged = false;
    this.#seekTo(Number(this.#position.value) * 1e3);
  }
  #mediaKeys() {
    if (!("mediaSession" in navigator)) return;
    const handlers = {
      play: () => this.toggle(),
      pause: () => this.toggle(),
      seekbackward: () => this.seekBy(-1e4),
      seekforward: () => this.seekBy(1e4)
    };
    for (const key2 of mediaKeys) navigator.mediaSession.setActionHandler(key2, handlers[key2]);
  }
  /** Called several times a second. */
  #show(view) {
    const now = performance.now();
    if (this.#watching === void 0) return;
    this.#renderCurtain(view);
    setText(this.#notice, this.#noticeText());
    if (now - this.#figuresAt < figureGap) return;
    this.#figuresAt = now;
    this.#renderSync(view);
    if (!this.#dragged && view.position !== void 0) {
      this.#position.value = String(Math.floor(view.position / 1e3));
      this.#showTimes(view.position);
    }
  }
  #showTimes(position) {
    const { state } = this.room;
    const duration = state ? this.#duration(state) : 0;
    setText(this.#times, duration ? `${clockTime(position)} / ${clockTime(duration)}` : clockTime(position));
    this.#position.max = String(Math.floor(duration / 1e3));
    this.#position.setAttribute("aria-valuetext", spokenTime(position));
    this.#position.style.setProperty("--part", duration ? String(position / duration) : "0");
  }
  #render() {
    const { state } = this.room;
    const idle = !state || state.state === "idle";
    const may = this.mayControl && !idle;
    const plays = state?.state === "playing" || state?.state === "waiting" && state.wait?.then_play;
    relabel(this.#play, plays ? "pause" : "play", plays ? "Pause" : "Play");
    for (const control of [this.#play, this.#back, this.#forward, this.#skip, this.#position, this.#rate]) {
      control.disabled = !may;
    }
    this.#controls.hidden = idle;
    if (state) {
      if (!rates.includes(state.rate)) this.#addRate(state.rate);
      this.#rate.value = String(state.rate);
    }
    relabel(this.#mute, this.#video.muted ? "muted" : "loud", this.#video.muted ? "Sound on" : "Mute");
    this.#captions.hidden = (state?.media?.subtitles.length ?? 0) === 0;
    setText(this.#title, state?.media?.title ?? "");
    this.#title.hidden = !state?.media;
    setText(this.element.querySelector(".may-not"), idle || this.mayControl ? "" : this.#whoControls());
    if (!idle && "mediaSession" in navigator) {
      navigator.mediaSession.metadata = new MediaMetadata({
        title: state.media?.title ?? "",
        artist: this.room.room?.name ?? ""
      });
      navigator.mediaSession.playbackState = state.state === "playing" ? "playing" : "paused";
    }
    this.#renderCurtain(this.#watching?.view);
    setText(this.#notice, this.#noticeText());
  }
  #addRate(rate) {
    if (![...this.#rate.options].some(({ value }) => value === String(rate))) {
      this.#rate.append(el("option", { value: rate }, `${rate}×`));
    }
  }
  #whoControls() {
    switch (this.room.room?.control) {
      case "host":
        return "The host controls the movie here.";
      case "everyone":
        return "You are muted, so the others control the movie.";
      default:
        return "The host and the moderators control the movie here.";
    }
  }
  #names(people) {
    const me = this.room.place?.user.id;
    return people.map((person) => person.id === me ? "you" : person.display_name);
  }
  #noticeText() {
    const { phase, loss, state, members, degraded } = this.room;
    if (loss?.reason === "rate_limited") return "You have this room open in too many windows. Close some; connecting aga\
in…";
    if (loss?.reason === "unavailable") return "The server is busy. Reconnecting…";
    if (phase === "connecting" && loss) return "Not connected yet. Trying again… If this continues, a proxy may be block\
ing WebSockets.";
    const goesOn = state?.state === "playing" ? " The movie goes on." : "";
    if (phase === "reconnecting") return `The connection was lost.${goesOn} Reconnecting…`;
    if (degraded) return `The server has lost its database.${goesOn} Nobody can control the movie now.`;
    if (state?.state !== "waiting") return this.#subtitlesText();
    if (members.waiting_for.length === 0) return "One moment…";
    const names = this.#names(members.waiting_for);
    return `Waiting for ${list(names, members.waiting - members.waiting_for.length)}`;
  }
  /** Says if the subtitles that the person has chosen are missing. */
  #subtitlesText() {
    const chosen = [...this.#video.textTracks].find(({ mode }) => mode === "showing");
    const isMissing = chosen && this.#watching?.view.failedSubtitles.includes(chosen.language);
    return isMissing ? `The subtitles cannot be loaded: ${chosen.label}` : "";
  }
  /** How long it is until the movie starts by itself, for a party; undefined unless it is going to. */
  #untilStart() {
    const { state } = this.room;
    if (state?.state !== "paused" || !state.starts_at_ms) return void 0;
    const left = state.starts_at_ms - (this.room.serverTime() ?? Date.now());
    return left > 0 ? left : void 0;
  }
  /** What lies over the movie when it cannot be seen. */
  #renderCurtain(view) {
    const { state } = this.room;
    const left = this.#untilStart();
    if (left !== void 0) setText(this.#left, countdown(left));
    const key2 = !state ? "connecting" : state.state === "idle" ? `idle ${this.mayControl} ${state.cause === "ended"} ${this.
    hasNext()}` : view?.obstacle ?? (state.media?.stream_url === null ? "gone" : left !== void 0 ? "party" : view?.gaveUp ?
    "behind" : view?.stalled ? "stalled" : "");
    if (key2 === this.#curtainKey) return;
    this.#curtainKey = key2;
    this.#curtain.replaceChildren(...this.#curtainContent(key2.split(" ")));
    this.#curtain.hidden = key2 === "";
  }
  #curtainContent([key2, may, ended2, hasNext]) {
    const again2 = (label) => el(
      "button",
      { type: "button", class: "primary row", onclick: () => this.#watching.catchUp() },
      icon("play"),
      label
    );
    switch (key2) {
      case "connecting":
        return [el("p", { role: "status" }, "Connecting…")];
      case "idle":
        return [
          icon("film"),
          el("p", {}, ended2 === "true" ? "The movie has ended. What comes next?" : "Nothing is playing yet."),
          ...may !== "true" ? [el("p", { class: "quiet" }, this.#whoControls())] : [el(
            "div",
            {
              class: "row wrap center"
            },
            hasNext === "true" && el("button", {
              type: "button",
              class: "primary row",
              onclick: () => this.#send({ t: "play" })
            }, icon("play"), "Play"),
            el("button", { type: "button", class: "primary", onclick: this.choose }, "Choose a movie")
          )]
        ];
      case "party":
        return [el("p", { role: "status" }, "The party starts by itself in"), this.#left];
      case "autoplay":
        return [el("p", {}, "Your browser starts videos only after a click."), again2("Watch along")];
      case "gone":
        return [el("p", { role: "status" }, "This movie can no longer be played.")];
      case "unplayable":
        return [el("p", {}, "Your browser cannot play this stream."), again2("Try again")];
      case "behind":
        return [el("p", {}, "Your player cannot keep up with the room."), again2("Catch up")];
      case "stalled":
        return [el("p", { role: "status" }, "Loading…")];
      default:
        return [];
    }
  }
  #renderSync({ error, gaveUp }) {
    const { clock, phase, state } = this.room;
    const size = Math.abs(error ?? 0);
    const how = (error ?? 0) > 0 ? "behind" : "ahead";
    const text = phase !== "open" || error === void 0 ? "" : size >= 1e3 ? `${(size / 1e3).toFixed(1)} s ${how}` : `${Math.
    round(size)} ms ${how}`;
    setText(this.#sync, text && state?.state === "playing" ? text : "");
    setProperties(this.#sync, {
      "data-quality": gaveUp || size > 400 ? "poor" : size > 100 ? "fair" : "good",
      title: clock ? `Clock ±${Math.ceil(clock.uncertainty)} ms, round trip ${Math.round(clock.delay)} ms` : void 0
    });
  }
};

// watch/queue.ts
var Queue = class {
  constructor(room, roomID, add) {
    this.room = room;
    this.roomID = roomID;
    this.#add = el("button", { type: "button", onclick: add }, "Add a movie");
    this.#skip = el(
      "button",
      { type: "button", "aria-pressed": "false", onclick: () => this.#voteToSkip() },
      "Vote to skip"
    );
    this.element = el(
      "div",
      { class: "scroll" },
      el("div", { class: "row wrap queue-head" }, this.#add, this.#skip),
      this.#empty,
      this.#list
    );
    for (const name of ["queue", "hidden"]) room.on(name, () => void this.#load());
    for (const name of ["place", "room", "state"]) room.on(name, () => this.#render());
    this.#render();
  }
  room;
  roomID;
  element;
  #list = el("ol", { class: "queue" });
  #entries = new ItemList(this.#list);
  #empty = el("p", { class: "quiet empty-chat" }, "The queue is empty.");
  #add;
  #skip;
  #items = [];
  #loading = 0;
  /** The epoch of what the reader votes to skip. */
  #skipped;
  get length() {
    return this.#items.length;
  }
  /** Called when the length has changed. */
  onLength = () => {
  };
  async #load() {
    const turn2 = ++this.#loading;
    try {
      const { data } = await api.GET("/rooms/{room_id}/queue", { params: { path: { room_id: this.roomID } } });
      if (turn2 !== this.#loading) return;
      this.#items = data.data.items;
      this.#render();
      this.onLength();
    } catch (error) {
      toast(explain(error));
    }
  }
  #may(permission) {
    return this.room.place?.permissions.includes(permission) ?? false;
  }
  #render() {
    this.#add.hidden = !this.#may("add_to_queue");
    const votes = this.room.queue?.skip_votes ?? 0;
    this.#skip.hidden = !this.#may("vote") || (this.room.state?.state ?? "idle") === "idle";
    this.#skip.setAttribute("aria-pressed", String(this.#skipped === this.room.state?.epoch));
    this.#skip.textContent = votes > 0 ? `Vote to skip (${votes})` : "Vote to skip";
    this.#empty.hidden = this.#items.length > 0;
    const byVotes = this.room.room?.queue_order === "votes";
    const { place } = this.room;
    this.#entries.show(this.#items.map((item, i) => ({
      key: item.id,
      shows: [item, this.#items[i - 1]?.id, byVotes, place?.permissions, place?.user.id],
      make: () => [this.#item(item, i, byVotes)]
    })));
  }
  #item(item, i, byVotes) {
    const mine = item.added_by?.id === this.room.place?.user.id;
    const mayEdit = this.#may("edit_queue");
    const path = { room_id: this.roomID, item_id: item.id };
    const before = this.#items[i - 1];
    return el(
      "li",
      { class: "queue-item row" },
      el(
        "span",
        { class: "stack-none grow" },
        el("span", { class: "line" }, item.title),
        el(
          "span",
          { class: "quiet small line" },
          item.duration_ms ? `${clockTime(item.duration_ms)} · ` : "",
          `added by ${mine ? "you" : item.added_by?.display_name ?? "somebody"}`,
          byVotes || item.votes > 0 ? ` · ${count(item.votes, "vote")}` : ""
        )
      ),
      this.#may("vote") && iconButton("vote", item.voted ? `Take your vote for ${item.title} back` : `Vote for ${item.title}`,
      {
        class: item.voted ? "icon-button small on" : "icon-button small",
        "aria-pressed": String(item.voted),
        onclick: () => this.#attempt(() => item.voted ? api.DELETE("/rooms/{room_id}/queue/{item_id}/vote", { params: { path } }) :
        api.PUT("/rooms/{room_id}/queue/{item_id}/vote", { params: { path } }))
      }),
      mayEdit && !byVotes && before !== void 0 && iconButton("up", `Move ${item.title} up`, {
        class: "icon-button small",
        onclick: () => this.#attempt(() => api.PUT("/rooms/{room_id}/queue/{item_id}/place", {
          params: { path },
          body: { before_id: before.id }
        }))
      }),
      this.#may("control_playback") && iconButton("play", `Play ${item.title} now`, {
        class: "icon-button small",
        onclick: () => this.#attempt(() => this.room.command({ t: "load", item_id: item.id }))
      }),
      (mine || mayEdit) && iconButton("close", `Remove ${item.title}`, {
        class: "icon-button small",
        onclick: () => this.#attempt(() => api.DELETE("/rooms/{room_id}/queue/{item_id}", { params: { path } }))
      })
    );
  }
  /** Loads the queue after a refusal, too: what was not there any more is then gone from the page. */
  #attempt(action) {
    return action().catch((error) => toast(explain(error))).then(() => this.#load());
  }
  async #voteToSkip() {
    const epoch = this.room.state?.epoch ?? 0;
    const skip = this.#skipped !== epoch;
    try {
      await api.PUT("/rooms/{room_id}/playback/skip-vote", {
        params: { path: { room_id: this.roomID } },
        body: { epoch, skip }
      });
      this.#skipped = skip ? epoch : void 0;
      this.#render();
    } catch (error) {
      toast(explain(error));
    }
  }
};

// watch/settings.ts
function editSettings(room, roomID) {
  const settings = room.room;
  if (!settings) return;
  const choice = (name, chosen, options) => el(
    "select",
    { name },
    ...Object.entries(options).map(([value, label]) => el("option", { value, ...value === chosen && {
      selected: true
    } }, label))
  );
  const circles = { host: "Only you", moderators: "You and the moderators", everyone: "Everyone" };
  const status = el("p", { class: "problem", role: "alert" });
  const submit = el("button", { type: "submit", class: "primary" }, "Save");
  const nowPlaying = el("input", { name: "now_playing", type: "checkbox", disabled: true });
  const form2 = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        const change = changes(shown2, values());
        if (Object.keys(change).length === 0) return dialog.close();
        submit.disabled = true;
        api.PATCH("/rooms/{room_id}", { params: { path: { room_id: roomID } }, body: change }).then(() => dialog.close(),
        (error) => {
          status.textContent = explain(error);
        }).finally(() => {
          submit.disabled = false;
        });
      }
    },
    el("h2", {}, "Settings of the room"),
    field("Name", el("input", {
      name: "name",
      required: true,
      maxlength: 100,
      value: settings.name,
      autocomplete: "off"
    })),
    field("Who controls the movie", choice("control", settings.control, circles)),
    field("Who adds to the queue", choice("queue", settings.queue, circles)),
    field("What comes next", choice("queue_order", settings.queue_order, {
      manual: "The first in the queue",
      votes: "What has the most votes"
    })),
    field("Whom the room waits for", choice("wait_policy", settings.wait_policy, {
      auto: "Everyone, while at most 8 are here",
      everyone: "Everyone",
      host: "Only you",
      nobody: "Nobody"
    })),
    el(
      "div",
      { class: "stack-small" },
      el("label", { class: "row" }, nowPlaying, "Show publicly what this room plays"),
      el("span", { class: "hint" }, "Other sites can show it without signing in. Private rooms never show it.")
    ),
    status,
    el("div", { class: "row end" }, el("button", { type: "button", onclick: () => dialog.close() }, "Cancel"), submit)
  );
  const values = () => ({ ...Object.fromEntries(new FormData(form2)), now_playing: nowPlaying.checked });
  const shown2 = values();
  const dialog = openDialog("Settings of the room", {}, form2);
  api.GET("/rooms/{room_id}", { params: { path: { room_id: roomID } } }).then(({ data }) => {
    shown2.now_playing = nowPlaying.checked = data.data.now_playing;
    nowPlaying.disabled = false;
  }, (error) => {
    status.textContent = explain(error);
  });
}

// watch/tabs.ts
var Tabs = class {
  element;
  #tabs = /* @__PURE__ */ new Map();
  constructor(tabs) {
    for (const { id, label, content } of tabs) {
      const button = el("button", {
        type: "button",
        role: "tab",
        id: `tab-${id}`,
        "aria-controls": `panel-${id}`,
        onclick: () => this.show(id)
      }, label);
      const panel = el("div", { role: "tabpanel", id: `panel-${id}`, "aria-labelledby": `tab-${id}` }, content);
      this.#tabs.set(id, { button, panel });
    }
    const all = [...this.#tabs.values()];
    const bar = el("div", { role: "tablist", class: "tabs", "aria-label": "The room" }, ...all.map(({ button }) => button));
    bar.addEventListener("keydown", (event) => this.#key(event));
    this.element = el("aside", { class: "side", "aria-label": "The room" }, bar, ...all.map(({ panel }) => panel));
    this.show(tabs[0].id);
  }
  show(id) {
    for (const [name, { button, panel }] of this.#tabs) {
      const isShown = name === id;
      button.setAttribute("aria-selected", String(isShown));
      button.tabIndex = isShown ? 0 : -1;
      panel.hidden = !isShown;
      if (isShown) button.classList.remove("marked");
    }
  }
  /** Shows that there is something new behind a tab. */
  mark(id) {
    const tab = this.#tabs.get(id);
    if (tab?.panel.hidden) tab.button.classList.add("marked");
  }
  rename(id, label) {
    const tab = this.#tabs.get(id);
    if (tab) setText(tab.button, label);
  }
  #key(event) {
    const ids = [...this.#tabs.keys()];
    const at = ids.findIndex((id) => this.#tabs.get(id)?.button === document.activeElement);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const next = step === void 0 ? void 0 : ids[(at + step + ids.length) % ids.length];
    if (at < 0 || next === void 0) return;
    event.preventDefault();
    this.show(next);
    this.#tabs.get(next)?.button.focus();
  }
};

// watch/room.ts
async function showRoom(main2, roomID, ways) {
  main2.replaceChildren(el("p", { class: "page quiet", role: "status" }, "Entering the room…"));
  try {
    const { data } = await api.POST("/rooms/{room_id}/join", { params: { path: { room_id: roomID } } });
    return new RoomPage(main2, data.data, ways);
  } catch (error) {
    main2.replaceChildren(ended(whyNot(error), ways, "Try again"));
    return void 0;
  }
}
var RoomPage = class {
  constructor(main2, room, ways) {
    this.main = main2;
    this.ways = ways;
    const roomID = room.id;
    this.#roomID = roomID;
    this.#name = el("h1", { class: "line" }, room.name);
    this.#live = new LiveRoom(api, roomID);
    const queue = new Queue(this.#live, roomID, () => this.#addToQueue());
    this.#player = new Player(this.#live, () => this.#choose(), () => queue.length > 0 || room.movie !== null);
    this.#party = new NextParty(this.#live, roomID);
    const chat = new Chat(this.#live, roomID);
    const people = new People(this.#live, roomID, ways.exit, (value) => {
      this.#player.waitForMe = value;
    });
    const tabs = new Tabs([
      { id: "chat", label: "Chat", content: chat.element },
      { id: "people", label: "People", content: people.element },
      { id: "queue", label: "Queue", content: queue.element }
    ]);
    queue.onLength = () => {
      tabs.rename("queue", queue.length > 0 ? `Queue (${queue.length})` : "Queue");
      this.#player.refresh();
    };
    chat.onNew = () => tabs.mark("chat");
    const count2 = () => tabs.rename("people", `People (${people.count})`);
    this.#live.on("people", count2);
    const movie = el(
      "button",
      { type: "button", class: "row", onclick: () => this.#choose() },
      icon("film"),
      el("span", { class: "word" }, "Choose a movie")
    );
    const settings = iconButton("gear", "Settings of the room", { onclick: () => editSettings(this.#live, roomID) });
    const schedule = iconButton("calendar", "Schedule a party", {
      onclick: () => editParty(roomID, () => void this.#party.load())
    });
    const render = () => {
      schedule.hidden = !this.#live.place?.permissions.includes("schedule_party");
      settings.hidden = !this.#live.place?.permissions.includes("edit_room");
      setText(this.#name, this.#live.room?.name ?? room.name);
      if (this.#live.room) document.title = `${this.#live.room.name} · WatchParty`;
      movie.hidden = !this.#player.mayControl || this.#live.state?.state === "idle";
    };
    for (const name of ["room", "place", "state"]) this.#live.on(name, render);
    render();
    this.#live.on("phase", (phase) => {
      if (phase === "closed") this.#closed(this.#live.end);
    });
    main2.replaceChildren(el(
      "div",
      { class: "room" },
      el(
        "div",
        { class: "room-head row between wrap" },
        this.#name,
        el(
          "div",
          { class: "row wrap" },
          movie,
          schedule,
          settings,
          iconButton("invite", "Invite people", { onclick: () => invite(this.#live, roomID) }),
          el("button", { type: "button", onclick: () => this.ways.exit() }, "Leave")
        )
      ),
      this.#player.element,
      this.#party.element,
      tabs.element
    ));
    document.addEventListener("keydown", (event) => this.#key(event), { signal: this.#abort.signal });
  }
  main;
  ways;
  #live;
  #player;
  #party;
  #abort = new AbortController();
  #name;
  #roomID;
  leave() {
    this.#abort.abort();
    this.#live.close();
    this.#party.stop();
    this.#player.stop();
  }
  #choose() {
    chooseMovie(this.#live, "Choose a movie", (choice) => this.#live.command({ t: "load", ...choice }));
  }
  #addToQueue() {
    chooseMovie(this.#live, "Add a movie to the queue", async (choice) => {
      await api.POST("/rooms/{room_id}/queue", { params: { path: { room_id: this.#roomID } }, body: choice });
    });
  }
  /** The keys of a player, unless somebody writes or moves in a control. */
  #key(event) {
    const target = event.target;
    if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.closest('input, textarea, select, [role="tab"], .messages')) return;
    if (event.key === " " && target.closest("button, a")) return;
    const actions = {
      " ": () => this.#player.toggle(),
      k: () => this.#player.toggle(),
      ArrowLeft: () => this.#player.seekBy(-5e3),
      ArrowRight: () => this.#player.seekBy(5e3),
      m: () => this.#player.mute(),
      f: () => this.#player.whole(),
      c: () => this.#player.captions()
    };
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    if (event.repeat && !event.key.startsWith("Arrow")) return;
    action();
  }
  #closed(end) {
    if (!end || end.reason === "left") return;
    this.leave();
    closeDialogs();
    this.main.replaceChildren(ended(endText(end), this.ways, again.get(end.code)));
  }
};
var again = /* @__PURE__ */ new Map([[4401, "Sign in"]]);
function ended(text, ways, again2) {
  return el(
    "div",
    { class: "card narrow stack" },
    el("h1", {}, "You are not in this room"),
    el("p", { role: "alert" }, text),
    el(
      "div",
      { class: "row wrap" },
      again2 && el("button", { type: "button", class: "primary", onclick: ways.again }, again2),
      el("button", { type: "button", class: again2 ? "" : "primary", onclick: ways.exit }, "To the rooms")
    )
  );
}
function whyNot(error) {
  if (error instanceof ProblemError) {
    if (error.status === 404 || error.status === 400) return "There is no such room, or it is private and you are not in\
vited.";
    if (error.code === "room_full") return "The room is full. Try again when somebody has left.";
  }
  return explain(error);
}
function endText({ code, reason }) {
  switch (code) {
    case 4401:
      return "Your sign-in has ended. Sign in again.";
    case 4403:
      return reason === "banned" ? "You are banned from this room." : "You were removed from this room.";
    case 4404:
      return "This room no longer exists.";
    case 4409:
      return "You have opened this room in another window.";
    case 4410:
      return "The room is closed.";
    default:
      return `The connection ended (${code}).`;
  }
}

// watch/signin.ts
function signIn(main2, reason = "") {
  return new Promise((resolve) => {
    const show2 = (isNew, reason2 = "") => {
      main2.replaceChildren(form(isNew, () => show2(!isNew), resolve, reason2));
      main2.querySelector("input")?.focus();
    };
    show2(false, reason);
  });
}
function form(isNew, other, done, reason) {
  const status = el("p", { class: "problem", role: "alert" }, reason);
  const input = (name, properties) => el("input", { name, required: true, ...properties });
  const submit = el("button", { type: "submit", class: "primary" }, isNew ? "Create the account" : "Sign in");
  const values = el(
    "form",
    {
      class: "stack",
      onsubmit: (event) => {
        event.preventDefault();
        const data = new FormData(values);
        const text = (name) => String(data.get(name) ?? "");
        void attempt(submit, status, async () => {
          const person = { email: text("email"), password: text("password") };
          if (isNew) await api.POST("/auth/register", { body: { ...person, username: text("username") } });
          else await api.POST("/auth/login", { body: person });
          done();
        });
      }
    },
    isNew && field("Username", input("username", {
      autocomplete: "username",
      minlength: 3,
      maxlength: 32,
      pattern: "[A-Za-z0-9][A-Za-z0-9_.\\-]*"
    }), "Letters, digits, dots, dashes and underscores. Others see it."),
    field("Email address", input("email", { type: "email", autocomplete: "email" })),
    field("Password", input("password", {
      type: "password",
      autocomplete: isNew ? "new-password" : "current-password",
      maxlength: 1024,
      ...isNew && { minlength: 10 }
    }), isNew ? "At least 10 characters." : void 0),
    submit,
    status
  );
  return el(
    "section",
    { class: "card narrow" },
    el("h1", {}, "Watch together"),
    el("p", { class: "quiet" }, "Movies in one room, at the same moment for everyone."),
    values,
    el("button", { type: "button", class: "plain", onclick: other }, isNew ? "I have an account" : "I have no account ye\
t"),
    !isNew && demoAccounts(done)
  );
}
async function attempt(button, status, action) {
  button.disabled = true;
  status.textContent = "";
  try {
    await action();
  } catch (error) {
    status.textContent = explain(error);
  } finally {
    button.disabled = false;
  }
}
function demoAccounts(done) {
  const text = document.body.dataset.demo;
  if (!text) return false;
  const { accounts, password } = JSON.parse(text);
  const status = el("p", { class: "problem", role: "alert" });
  const buttons = accounts.map((email) => {
    const name = email.split("@")[0] ?? email;
    const button = el("button", {
      type: "button",
      onclick: () => void attempt(button, status, async () => {
        await api.POST("/auth/login", { body: { email, password } });
        done();
      })
    }, name.charAt(0).toUpperCase() + name.slice(1));
    return button;
  });
  return el(
    "div",
    { class: "demo stack" },
    el("p", { class: "quiet" }, "Or sign in with a demo account:"),
    el("div", { class: "row wrap" }, ...buttons),
    status
  );
}

// watch/main.ts
var main = document.querySelector("main");
var account = document.querySelector("#account");
var shown;
var turn = 0;
async function show(reason) {
  const mine = ++turn;
  shown?.leave();
  shown = void 0;
  closeDialogs();
  document.title = "WatchParty";
  const page = el("div", { class: "sheet" });
  main.replaceChildren(page);
  if (!await api.isSignedIn()) {
    account.replaceChildren();
    await signIn(page, reason);
    if (mine !== turn) return;
  }
  void showAccount();
  const roomID = new URLSearchParams(location.search).get("room");
  if (!roomID) return showLobby(page, enter);
  const room = await showRoom(page, roomID, { exit, again: () => void show() });
  if (mine === turn) shown = room;
  else room?.leave();
}
async function showAccount() {
  const name = el("span", { class: "line" });
  account.replaceChildren(name, el("button", {
    type: "button",
    class: "plain",
    onclick: () => api.signOut().catch(() => void 0).then(() => show())
  }, "Sign out"));
  try {
    const { data } = await api.GET("/users/me");
    name.textContent = data.data.display_name;
  } catch {
  }
}
function enter(roomID) {
  history.pushState(null, "", `?room=${encodeURIComponent(roomID)}`);
  void show();
}
function exit() {
  history.pushState(null, "", location.pathname);
  void show();
}
document.querySelector("#home")?.addEventListener("click", (event) => {
  event.preventDefault();
  exit();
});
addEventListener("popstate", () => void show());
onSignedOut(() => void show("Your sign-in has ended. Sign in again."));
void show();
