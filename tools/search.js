// Asks the site's own search, with the engine that the site brings: node search.js SITE QUESTION ...
// Prints for each question the first pages found, as JSON.
const fs = require("fs");
const path = require("path");
const vm = require("vm");

const [site, ...questions] = process.argv.slice(2);
const folder = path.join(site, "assets", "javascripts", "workers");
const engine = fs.readFileSync(path.join(folder, fs.readdirSync(folder)[0]), "utf8");
const index = JSON.parse(fs.readFileSync(path.join(site, "search.json"), "utf8"));
const none = { type: "operator", data: { operator: "and", operands: [] } };
let answered;
globalThis.self = { postMessage: (message) => answered(message) };
vm.runInThisContext(engine);
const ask = (message) =>
  new Promise((resolve) => {
    answered = resolve;
    self.onmessage({ data: message });
  });

(async () => {
  await ask({ type: 0, data: index });
  for (const question of questions) {
    const data = { input: question, filter: { input: none, aggregation: { input: [] } } };
    const { items } = (await ask({ type: 2, data })).data;
    const pages = items.map((item) => index.items[item.id].location.split("#")[0]);
    console.log(JSON.stringify([...new Set(pages)].slice(0, 3)));
  }
})();
