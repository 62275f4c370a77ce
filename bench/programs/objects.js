// JSON, maps and strings; buffers come from malloc.
const fs = require('fs'), crypto = require('crypto');
let text = fs.readFileSync(process.argv[2], 'utf8');
for (let turn = 0; turn < 2; turn++) {
  const people = JSON.parse(text), by = new Map();
  for (const p of people) for (const t of p.tags) by.set(t, (by.get(t) || []).concat([p.id]).slice(-50));
  text = JSON.stringify(people.map(p => ({ ...p, name: p.name.split(' ').reverse().join(' ') })));
  for (let i = 0; i < 20000; i++) Buffer.alloc(9000 + i % 500, i);
  console.log(by.size, [...by.keys()].sort()[0]);
}
console.log(crypto.createHash('sha256').update(text).digest('hex'));
