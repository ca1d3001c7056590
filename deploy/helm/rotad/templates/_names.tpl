{{/* The name of everything, short enough for the longest suffix in a label. */}}
{{- define "rotad.fullname" -}}
{{- $name := .Values.fullnameOverride | default .Release.Name -}}
{{- if not (or .Values.fullnameOverride (contains "rotad" $name)) }}{{ $name = printf "%s-rotad" $name }}{{ end -}}
{{- $name | trunc 45 | trimSuffix "-" -}}
{{- end }}

{{/* What the Service, the policy and the Deployment find the daemon's pod by. It never changes. */}}
{{- define "rotad.selector" -}}
app.kubernetes.io/name: rotad
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/component: daemon
{{- end }}

{{- define "rotad.labels" -}}
app.kubernetes.io/name: rotad
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{- define "rotad.image" -}}
{{- with .Values.image -}}
{{ .repository }}{{ if .digest }}@{{ .digest }}{{ else }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end -}}
{{- end }}

{{- define "rotad.claim" -}}
{{ .Values.persistence.existingClaim | default (printf "%s-state" (include "rotad.fullname" .)) }}
{{- end }}

{{/* What a person types in front of a command of rotad. */}}
{{- define "rotad.command" -}}
kubectl -n {{ .Release.Namespace }} exec deploy/{{ include "rotad.fullname" . }} -- /rotad
{{- end }}
