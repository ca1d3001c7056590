#!/bin/sh
# An adapter for rotad in POSIX shell: one call replaces the secret, the one before stays valid for a while (mode
# grace-window). It needs sh, awk, curl, and a head that knows -c; no jq.
#
# The API is that of Telicent's auth server, for which rotad has a kind of its own; copy this file and change what stands
# below "the provider". Protocol: docs/reference/exec.md.
#
#     kind: exec
#     program_file: /usr/local/lib/rotad/grace_window.sh
#     environment: {PATH: "/usr/local/bin:/usr/bin:/bin"}
#     settings: {url: "https://auth.example.com"}
#     credential_file: /etc/rotad/grace-window        # a bearer token
#
# Secrets are in shell variables, in pipes and in what curl reads on stdin: printf is a builtin, so none becomes an
# argument of a process, which everybody on the machine could see.
set -u
LC_ALL=C
export LC_ALL
limit=65536 # bytes of an answer with its headers

# ---- JSON, with awk alone ----

# json VALUE PATH prints the text, number, true or false at a path such as .current.createdAt. Code 1: there is none, or
# it is null; 2: this is not JSON.
json() {
	printf '%s' "$1" | awk -v want="$2" '
	function skip() { while (i <= n && index(" \t\r\n", substr(s, i, 1))) i++ }
	function hex(t,   k, v) {
		v = 0
		for (k = 1; k <= 4; k++) v = v * 16 + index("123456789abcdef", tolower(substr(t, k, 1)))
		return v
	}
	function utf8(u) {
		if (u < 128) return sprintf("%c", u)
		if (u < 2048) return sprintf("%c%c", 192 + int(u / 64), 128 + u % 64)
		if (u < 65536) return sprintf("%c%c%c", 224 + int(u / 4096), 128 + int(u / 64) % 64, 128 + u % 64)
		return sprintf("%c%c%c%c", 240 + int(u / 262144), 128 + int(u / 4096) % 64, 128 + int(u / 64) % 64, 128 + u % 64)
	}
	function escape(   c, u, v) {
		c = substr(s, i + 1, 1); i += 2
		if (c != "u") return index("nrtbf", c) ? substr("\n\r\t\b\f", index("nrtbf", c), 1) : c
		u = hex(substr(s, i, 4)); i += 4
		if (u >= 55296 && u < 56320 && substr(s, i, 2) == "\\u") { # the first half of a pair
			v = hex(substr(s, i + 2, 4)); i += 6
			u = 65536 + (u - 55296) * 1024 + (v - 56320)
		}
		return utf8(u)
	}
	function text(   out, c, from) {
		from = ++i
		while (i <= n) {
			c = substr(s, i, 1)
			if (c == "\"") { out = out substr(s, from, i - from); i++; return out }
			if (c == "\\") { out = out substr(s, from, i - from); out = out escape(); from = i } else i++
		}
		bad = 1
		return out
	}
	function members(path, last, named,   key, k) {
		i++; skip()
		if (substr(s, i, 1) == last) { i++; return }
		for (k = 0; !bad; k++) {
			key = k
			if (named) {
				skip()
				if (substr(s, i, 1) != "\"") { bad = 1; return }
				key = text(); skip()
				if (substr(s, i, 1) != ":") { bad = 1; return }
				i++
			}
			value(path "." key); skip()
			if (substr(s, i, 1) == last) { i++; return }
			if (substr(s, i++, 1) != ",") bad = 1
		}
	}
	function value(path,   c, from) {
		skip()
		c = substr(s, i, 1)
		if (c == "{") { members(path, "}", 1); return }
		if (c == "[") { members(path, "]", 0); return }
		if (c == "\"") { c = text(); if (path == want) { found = 1; result = c }; return }
		from = i
		while (i <= n && index("+-.0123456789abcdefghijklmnopqrstuvwxyzE", substr(s, i, 1))) i++
		c = substr(s, from, i - from)
		if (c !~ /^(true|false|null|-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?)$/) { bad = 1; return }
		if (path == want && c != "null") { found = 1; result = c }
	}
	{ s = s (NR > 1 ? "\n" : "") $0 }
	END {
		n = length(s); i = 1; value(""); skip()
		if (bad || i <= n) exit 2
		if (!found) exit 1
		printf "%s", result
	}'
}

# quote TEXT prints it as a JSON text.
quote() {
	printf '%s' "$1" | awk '
	BEGIN { for (k = 1; k < 32; k++) code[sprintf("%c", k)] = sprintf("\\u%04x", k); code["\""] = "\\\""; code["\\"] = "\\\\" }
	{
		s = $0; out = (NR > 1 ? "\\n" : "")
		if (s ~ /[\001-\037"\\]/) for (k = 1; k <= length(s); k++) { c = substr(s, k, 1); out = out ((c in code) ? code[c] : c) }
		else out = out s
		printf "%s", (NR == 1 ? "\"" : "") out
	}
	END { printf "%s", (NR == 0 ? "\"\"" : "\"") }'
}

# urlencode TEXT prints it as a part of a path or form (RFC 3986).
urlencode() {
	printf '%s' "$1" | awk '
	BEGIN { for (k = 1; k < 256; k++) ord[sprintf("%c", k)] = k }
	{
		if (NR > 1) printf "%%0A"
		for (k = 1; k <= length($0); k++) {
			c = substr($0, k, 1)
			if (c ~ /[A-Za-z0-9_.~-]/) printf "%s", c; else printf "%%%02X", ord[c]
		}
	}'
}

# ---- replies ----

reply() {
	printf '{"protocol":1,%s}\n' "$1"
	exit 0
}

# fail CLASS MESSAGE [RAW] ends with an error. After an answer of the server it says its status and request id as well.
fail() {
	error="\"class\":\"$1\",\"message\":$(quote "$2")"
	[ -z "${status:-}" ] || error="$error,\"status\":$status"
	[ -z "${request_id:-}" ] || error="$error,\"request_id\":$(quote "$request_id")"
	[ -z "${retry_after:-}" ] || error="$error,\"retry_after\":$retry_after"
	[ -z "${3:-}" ] || error="$error,\"raw\":$(quote "$3")"
	reply "\"error\":{$error}"
}

# ---- HTTP ----

newline='
'
crlf=$(printf '\r\n_')
crlf=${crlf%_}

# setting NAME VALUE writes a line of a configuration of curl.
setting() { printf '%s = "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/\\/\\\\/g; s/"/\\"/g')"; }

header() {
	printf '%s\n' "$head" | awk -v want="$1" '{
		at = index($0, ":")
		if (tolower(substr($0, 1, at - 1)) == want) { v = substr($0, at + 1); gsub(/^[ \t]+|[ \t\r]+$/, "", v); print v; exit }
	}'
}

# send CHANGES sends what is configured on stdin, once, and sets status, body, request_id and retry_after. Only a
# connection that never was proves that nothing happened.
send() {
	status='' request_id='' retry_after='' body=''
	answer=$({ curl -q --silent --include --max-time "$seconds" --config -; printf '\n%s' "$?"; } | head -c "$limit")
	code=0
	if [ "${#answer}" -lt "$limit" ]; then
		code=${answer##*"$newline"}
		answer=${answer%"$newline"*}
	fi
	case $answer in
	HTTP/*) ;;
	*)
		case $code in
		5 | 6 | 7 | 35 | 60) fail unavailable "curl could not connect (exit code $code)" ;;
		esac
		[ "$1" = yes ] && fail indeterminate "the connection broke before an answer (exit code $code of curl)"
		fail unavailable "the connection broke before an answer (exit code $code of curl)"
		;;
	esac
	while :; do
		head=${answer%%"$crlf$crlf"*}
		body=${answer#*"$crlf$crlf"}
		status=${head#* }
		status=${status%%[!0-9]*}
		case $status in
		1??) answer=$body ;;
		*) break ;;
		esac
	done
	request_id=$(header x-request-id)
	retry_after=$(header retry-after)
	case $retry_after in
	*[!0-9]*) retry_after='' ;;
	esac
}

# conclude CHANGES MESSAGE fails unless the status says success.
conclude() {
	case $status in
	2??) return ;;
	401 | 403 | 407) class=auth ;;
	404 | 410) class=not-found ;;
	405 | 501 | 505) class=unsupported ;;
	409 | 412) class=conflict ;;
	423 | 425) class=busy ;;
	429) class=throttled ;;
	303 | 408 | 499 | 5??) if [ "$1" = yes ]; then class=indeterminate; else class=unavailable; fi ;;
	*) class=rejected ;;
	esac
	fail "$class" "$2"
}

# ---- the provider ----

# ask METHOD PATH CHANGES calls the admin API.
ask() {
	send "$3" <<END
$(setting url "$url$2")
$(setting request "$1")
$(setting header "Authorization: Bearer $credential")
$(setting header "X-Forwarded-Proto: https")
END
}

# look reads what the server knows of the client's secrets.
look() {
	ask GET "$path" no
	conclude no "looking at the client"
	rotated=$(json "$body" .current.createdAt)
	code=$?
	[ "$code" = 2 ] && fail unavailable "the answer to a look is not JSON"
	[ "$code" = 1 ] && [ "$(json "$body" .clientId)" != "$client" ] && fail unavailable "the answer to a look is none"
	previous=$(json "$body" .previous.createdAt)
	return 0
}

# one SLOT writes a secret of a look; its start is its name, because the server has slots and no ids.
one() {
	start=$(json "$body" ".$1.createdAt") || return 0
	printf '%s{"id":%s,"slot":"%s","start":%s,"expires":%s}' "$2" "$(quote "start-$start")" "$1" "$(quote "$start")" \
		"$(moment "$body" ".$1.expiresAt")"
}

# moment VALUE PATH writes a time, null if there is none.
moment() {
	if at=$(json "$1" "$2"); then quote "$at"; else printf null; fi
}

inspect() {
	look
	grace=$(json "$call" .target.grace) || grace=0
	required=null
	[ "$(json "$body" .rotationRequired)" = true ] && required=$(quote "$rotated")
	secrets=$(one current '')
	secrets=$secrets$(one previous "${secrets:+,}")
	reply "\"snapshot\":{\"client_id\":$(quote "$client"),\"secrets\":[$secrets],\"capabilities\":{\"mode\":\"grace-window\",\"reason\":\"the server keeps the secret before for a grace window\",\"start_readable\":true,\"slot_revoke\":true,\"slots\":2,\"grace\":$grace,\"required\":$required}}"
}

create() {
	json "$call" .request.proposed.client_secret >/dev/null && fail unsupported "the server chooses the value"
	look
	if [ -n "$rotated" ]; then ask POST "$path/rotate" yes; else ask POST "$path" yes; fi
	conclude yes "making a secret"
	issued "$body"
}

# issued RAW says what came of a create. The value exists now, so what cannot be read is handed on.
issued() {
	secret=$(json "$1" .secret) || fail not-understood "the answer has no secret" "$1"
	start=$(json "$1" .createdAt) || start=''
	id=''
	[ -z "$start" ] || id="\"id\":$(quote "start-$start"),\"start\":$(quote "$start"),"
	reply "\"issued\":{\"bundle\":{\"client_id\":$(quote "$client"),\"client_secret\":$(quote "$secret")},\"secret\":{$id\"slot\":\"current\",\"expires\":$(moment "$1" .expiresAt)},\"old_dies\":$(moment "$1" .previousExpiresAt)}"
}

verify() {
	secret=$(json "$call" .bundle.client_secret)
	case $(json "$call" .target.verify.method) in
	auto | client_credentials) ;;
	*) fail unsupported "this program verifies by client_credentials only" ;;
	esac
	if [ "$(json "$call" .target.verify.auth)" = post ]; then
		login=$(setting data-urlencode "client_id=$client"; setting data-urlencode "client_secret=$secret")
	else
		login=$(setting user "$(urlencode "$client"):$(urlencode "$secret")")
	fi
	send no <<END
$(setting url "$url/oauth2/token")
$(setting data "grant_type=client_credentials")
$(setting header "X-Forwarded-Proto: https")
$login
END
	[ "$status" = 200 ] && json "$body" .access_token >/dev/null && reply '"answer":"accepted"'
	case $status-$(json "$body" .error) in
	400-invalid_client | 401-invalid_client) reply '"answer":"refused"' ;;
	400-invalid_scope | 400-unauthorized_client) reply '"answer":"accepted"' ;; # said only to a client that is known
	401-* | 403-* | 2??-*) fail unavailable "the answer proves nothing about the secret" ;;
	esac
	conclude no "asking for a token"
}

# revoke ends the previous secret while that slot holds the one that is meant. The current one is never ended.
revoke() {
	id=$(json "$call" .secret_id)
	look
	case $id in
	"start-$rotated") fail conflict "this is the current secret" ;;
	"start-$previous") ;;
	*)
		[ -z "$previous" ] && reply '"revoked":true' # gone already
		fail conflict "the slot holds another secret by now"
		;;
	esac
	ask DELETE "$path?target=previous" yes
	[ "$status" = 404 ] || conclude yes "ending the previous secret"
	reply '"revoked":true'
}

# ---- the protocol ----

call=$(cat)
[ "$(json "$call" .protocol)" = 1 ] || fail unsupported "this program speaks version 1 of the protocol"
seconds=$(json "$call" .timeout) # curl ends by itself, even if rotad is no longer there to end it
url=$(json "$call" .settings.url) || url=''
credential=$(json "$call" .credential) || credential=''
client=$(json "$call" .target.ref.client_id) || client=''
path="/clients/$(urlencode "$client")/secret"

operation=$(json "$call" .operation)
case $operation in
describe) reply '"describe":{"name":"grace_window.sh","version":"1","operations":["describe","inspect","create","verify","revoke","decode"]}' ;;
inspect | create | verify | revoke) "$operation" ;;
decode) issued "$(json "$call" .raw)" ;;
*) fail unsupported "this program does not offer $operation" ;;
esac
