# Prints, of what go test -v has said, what every test that failed has said: its first and its last lines, because much lies
# between the word that explains a failure and the end of a long run.
/^=== (RUN|NAME|CONT|PAUSE) / { test = $3; next }
/^(ok|FAIL|PASS)/ { test = ""; next }
match($0, /^ *--- FAIL: /) {
	print
	n = split(said[$3], lines, "\n")
	for (i = 1; i < n; i++) if (i <= most || i >= n - most) print lines[i]
	next
}
/^ *--- / { next }
test != "" { said[test] = said[test] $0 "\n" }
