{{/* The configuration: the values, and what only the chart can know. */}}
{{- define "rotad.config" -}}
{{- $listen := dict "metrics" ":9847" "admin" "unix:/run/rotad/admin.sock" -}}
{{- with .Values.public }}
  {{- if .enabled -}}
    {{- $public := dict "address" ":9850" "key_file" "${CREDENTIALS_DIRECTORY}/public-key" -}}
    {{- with .trustedProxies }}{{ $public = set $public "trusted_proxies" . }}{{ end -}}
    {{- $listen = set $listen "public" $public -}}
  {{- end -}}
{{- end -}}
{{- $fixed := dict
      "state" (dict "path" "/var/lib/rotad/rotad.db")
      "listen" $listen
      "runtime" (dict "shutdown" (printf "%ds" (int .Values.shutdownSeconds))) -}}
{{- if .Values.clientFiles }}{{ $fixed = set $fixed "include" (list "clients.d/*.yaml") }}{{ end -}}
{{- toYaml (mergeOverwrite (deepCopy .Values.config) $fixed) -}}
{{- end }}

{{/* The keys of the ConfigMap. */}}
{{- define "rotad.files" -}}
config.yaml: |
  {{- include "rotad.config" . | nindent 2 }}
{{- range $name, $clients := .Values.clientFiles }}
clients.{{ $name }}.yaml: |
  {{- dict "clients" $clients | toYaml | nindent 2 }}
{{- end }}
{{- end }}

{{/* The port of an address: the one that it names, else that of its scheme. */}}
{{- define "rotad.port" -}}
{{- $url := urlParse . -}}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" -}}
{{- $port | default (ternary "80" "443" (eq $url.scheme "http")) -}}
{{- end }}

{{- define "rotad.mailPort" -}}
{{- $mail := .Values.config.smtp -}}
{{- $implied := get (dict "implicit" 465 "none" 25) ($mail.tls | default "starttls") | default 587 -}}
{{- int ($mail.port | default $implied) -}}
{{- end }}

{{/* The ports of the channels besides mail, one a line. The URL of Slack is a secret and so not here: it is https. */}}
{{- define "rotad.channelPorts" -}}
{{- $ports := list -}}
{{- range .Values.config.channels -}}
  {{- if .url }}{{ $ports = append $ports (include "rotad.port" .url) }}{{ else }}{{ $ports = append $ports "443" }}{{ end -}}
{{- end -}}
{{- $ports | uniq | sortAlpha | join "\n" -}}
{{- end }}

{{/* The ports of the providers and of the clients' probes, one a line. Every setting of a provider that holds an address
is one that rotad asks; Microsoft's are built in. */}}
{{- define "rotad.providerPorts" -}}
{{- $ports := list -}}
{{- range .Values.config.providers -}}
  {{- if eq .kind "entra" }}{{ $ports = append $ports "443" }}{{ end -}}
  {{- range . -}}
    {{- if and (kindIs "string" .) (regexMatch "^https?://" .) }}{{ $ports = append $ports (include "rotad.port" .) }}{{ end -}}
  {{- end -}}
{{- end -}}
{{- range .Values.config.vaults }}{{ $ports = append $ports (include "rotad.port" .address) }}{{ end -}}
{{- $clients := .Values.config.clients | default list -}}
{{- range .Values.clientFiles }}{{ $clients = concat $clients (. | default list) }}{{ end -}}
{{- range $clients -}}
  {{- range .probes }}{{ $ports = append $ports (include "rotad.port" .url) }}{{ end -}}
{{- end -}}
{{- $ports | uniq | sortAlpha | join "\n" -}}
{{- end }}
