// Shows /api/openapi.json and sends requests. Texts are only ever set as texts, never as HTML.
"use strict";

const make = (name, attributes = {}, ...children) => {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children);
  return element;
};

// What stands between backticks is code.
const prose = (text) => text.split("`").map((part, index) => (index % 2 ? make("code", {}, part) : part));

const token = document.getElementById("token");
const find = document.getElementById("find");
const main = document.getElementById("main");

// An example value for a schema; `depth` ends schemas that hold themselves.
const example = (api, schema, depth = 0) => {
  if (!schema || depth > 6) return null;
  if (schema.$ref) return example(api, api.components.schemas[schema.$ref.split("/").pop()], depth + 1);
  if (schema.example !== undefined) return schema.example;
  if (schema.enum) return schema.enum[0];
  // An optional field's type is a list: its own, and null.
  switch ([schema.type].flat()[0]) {
    case "object": {
      const entries = Object.entries(schema.properties || {});
      return Object.fromEntries(entries.map(([name, inner]) => [name, example(api, inner, depth + 1)]));
    }
    case "array": return [example(api, schema.items, depth + 1)];
    case "integer": case "number": return 0;
    case "boolean": return false;
    case "string": return schema.format === "date-time" ? "2026-01-31T08:00:00.000Z" : "";
    default: return {};
  }
};

const pretty = (value) => JSON.stringify(value, null, 2);

const input = (parameter) => {
  const choices = parameter.schema.enum || (parameter.schema.items && parameter.schema.items.enum);
  if (!choices) return make("input", { name: parameter.name, size: 32 });
  const options = choices.map((choice) => make("option", { value: choice }, choice));
  return make("select", { multiple: parameter.schema.type === "array" }, make("option", { value: "" }, "–"), ...options);
};

const values = (field) =>
  [...(field.selectedOptions || [field])].map((one) => one.value).filter((value) => value !== "");

const send = async (api, method, path, fields, body, output) => {
  const query = new URLSearchParams();
  for (const [parameter, field] of fields) {
    for (const value of values(field)) {
      if (parameter.in === "query") query.append(parameter.name, value);
    }
    if (parameter.in === "path") path = path.replace(`{${parameter.name}}`, encodeURIComponent(field.value));
  }
  const url = `${api.servers[0].url}${path}${query.size ? `?${query}` : ""}`;
  const headers = { authorization: `Bearer ${token.value.trim()}` };
  if (body) headers["content-type"] = "application/json";
  output.hidden = false;
  output.textContent = `${method} ${url}\n…`;
  try {
    const answer = await fetch(url, { method, headers, body: body ? body.value : undefined });
    const text = await answer.text();
    // As it came: parsing it here would lose member order and big numbers.
    output.textContent = `${method} ${url}\n${answer.status} ${answer.statusText}\n\n${text}`;
  } catch (error) {
    output.textContent = `${method} ${url}\n${error}`;
  }
};

const shownOperation = (api, method, path, operation) => {
  const fields = operation.parameters.map((parameter) => [parameter, input(parameter)]);
  const rows = fields.map(([parameter, field]) =>
    make("tr", {}, make("td", {}, make("code", {}, parameter.name), parameter.required ? " *" : ""),
      make("td", {}, field), make("td", {}, ...prose(parameter.description || ""))));
  const inside = make("div", { class: "inside" }, make("p", { class: "about" }, ...prose(operation.description)));
  if (rows.length) inside.append(make("table", {}, ...rows));

  let body = null;
  if (operation.requestBody) {
    const schema = operation.requestBody.content["application/json"].schema;
    body = make("textarea", { spellcheck: "false", "aria-label": "Body" });
    body.value = pretty(example(api, schema));
    inside.append(make("p", {}, "Body"), body, make("details", {}, make("summary", {}, "Schema"), make("pre", {}, pretty(schema))));
  }
  const output = make("pre", { hidden: true });
  inside.append(make("button", { onclick: () => send(api, method, path, fields, body, output) }, "Send"), output);
  for (const [status, answer] of Object.entries(operation.responses)) {
    const schema = answer.content && answer.content["application/json"].schema;
    if (schema) inside.append(make("p", {}, `Answer ${status}`), make("pre", {}, pretty(example(api, schema))));
  }
  const summary = make("summary", {}, make("span", { class: `method ${method}` }, method),
    make("span", { class: "path" }, path), make("span", {}, `${operation.operationId} · ${operation["x-hoshu-role"]}`));
  const details = make("details", { id: operation.operationId }, summary, inside);
  details.dataset.words = `${method} ${path} ${operation.operationId} ${operation.description}`.toLowerCase();
  return details;
};

const show = (api) => {
  main.replaceChildren(make("p", { class: "about" }, ...prose(api.info.description)));
  for (const tag of api.tags) {
    const section = make("section", {}, make("h2", {}, tag.name), make("p", {}, ...prose(tag.description)));
    for (const [path, methods] of Object.entries(api.paths)) {
      for (const [method, operation] of Object.entries(methods)) {
        if (operation.tags.includes(tag.name)) section.append(shownOperation(api, method.toUpperCase(), path, operation));
      }
    }
    main.append(section);
  }
  const linked = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (linked) linked.open = true;
};

find.addEventListener("input", () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const section of main.querySelectorAll("section")) {
    const operations = [...section.querySelectorAll("details[id]")];
    for (const one of operations) one.hidden = !words.every((word) => one.dataset.words.includes(word));
    section.hidden = operations.every((one) => one.hidden);
  }
});

fetch("/api/openapi.json")
  .then((answer) => answer.json())
  .then(show)
  .catch((error) => main.replaceChildren(make("p", {}, `The document could not be loaded: ${error}`)));
