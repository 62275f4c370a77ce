# Objects, hashes and strings.
require 'json'
people = JSON.parse(File.read(ARGV[0]))
by = Hash.new { |hash, key| hash[key] = [] }
people.each { |p| p['text'].split(' ').each { |w| by[w + p['tags'][0]] << "#{p['id']}-#{w}" } }
by.each_value { |list| list.shift(list.size / 2) }
puts by.size, by.sort.first(5).map { |k, v| "#{k} #{v.size}" }, JSON.generate(people).size
