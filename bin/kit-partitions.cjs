// Loaded into drizzle-kit: its introspection asks for ordinary tables alone, and would not see those that are
// partitioned. What it asks of PostgreSQL is changed in this one point.
const { Client } = require('pg');

const KINDS = [
  ["WHEN c.relkind = 'r' THEN 'table'", "WHEN c.relkind IN ('r', 'p') THEN 'table'"],
  ["relkind IN ('r', 'v', 'm')", "relkind IN ('r', 'p', 'v', 'm')"],
];
const widen = (text) => KINDS.reduce((changed, [from, to]) => changed.replace(from, to), text);

const { query } = Client.prototype;
Client.prototype.query = function (config, ...rest) {
  if (typeof config === 'string') return query.call(this, widen(config), ...rest);
  if (typeof config?.text === 'string') config.text = widen(config.text);
  return query.call(this, config, ...rest);
};
