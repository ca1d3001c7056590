# Prints, of what go test has said, what every test that failed has said: its first and its last lines, because much lies between
# the word that explains a failure and the end of a long run. With -v that stands before the verdict, without it behind.
function show(text,   n, i, lines) {
	n = split(text, lines, "\n")
	for (i = 1; i < n; i++) if (i <= most || i >= n - most) print lines[i]
}
match($0, /^ *--- FAIL: /) {
	show(behind)
	behind = ""
	failed = 1
	print
	show(said[$3])
	next
}
failed && /^ / && !/^ *--- / { behind = behind $0 "\n"; next }
{ show(behind); behind = ""; failed = 0 }
/^=== (RUN|NAME|CONT|PAUSE) / { test = $3; next }
/^(ok|FAIL|PASS)/ { test = ""; next }
/^ *--- / { next }
test != "" { said[test] = said[test] $0 "\n" }
END { show(behind) }
