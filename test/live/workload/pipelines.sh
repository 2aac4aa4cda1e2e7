# Pipelines, redirections, subshells, background jobs, here documents. Works in the current folder.
set -u
echo "one two three" | tr ' ' '\n' | sort -r | head -2 > sorted.txt
cat sorted.txt sorted.txt | wc -l >> count.txt
(cd / && pwd > /dev/null; exit 3) || true
sleep 0.05 & first=$!
wait "$first"
cat <<'TEXT' | grep -c o > found.txt
some lines
of text
TEXT
for i in 1 2 3; do echo "$i" > "file-$i"; done
cp file-1 copy && mv copy moved && ln moved hard && ln -s moved soft && rm hard
cat no-such-file 2> /dev/null
exec 7< file-2; read -r -u 7 line; exec 7<&-
find . -name 'file-*' -print0 | xargs -0 -n 1 basename > names.txt
true && ! false
