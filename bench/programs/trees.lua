-- Binary trees and strings. trees.lua [TREES]
local function tree(depth)
  if depth == 0 then return {} end
  return { tree(depth - 1), tree(depth - 1) }
end
local function count(t) return t[1] and 1 + count(t[1]) + count(t[2]) or 1 end
local total = 0
local trees = tonumber(arg[1]) or 20
for i = 1, trees do total = total + count(tree(15)) end
local words = {}
for i = 1, trees * 10000 do words[i % 5000 + 1] = "word" .. i .. string.rep("x", i % 60) end
table.sort(words)
print(total, #table.concat(words), words[1], words[5000])
