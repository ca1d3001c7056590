{{/* What the daemon's pod and those of the hooks have in common: no right, nothing to write to. */}}
{{- define "rotad.podSecurity" -}}
# Without this, a Service named "vault" would set variables such as VAULT_PORT, of which rotad warns.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  # "Always" would open the state file to the group at every start, of which rotad warns.
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- end }}

{{- define "rotad.placement" -}}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "rotad.container" -}}
image: {{ include "rotad.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* Where the configuration and its secrets are found. */}}
{{- define "rotad.environment" -}}
- {name: ROTAD_CONFIG, value: /etc/rotad/config.yaml}
- {name: CREDENTIALS_DIRECTORY, value: /run/secrets/rotad}
{{- end }}

{{/* Whole directories, never single files (subPath): only those follow a changed Secret. */}}
{{- define "rotad.mounts" -}}
- {name: config, mountPath: /etc/rotad, readOnly: true}
{{- if .Values.credentials }}
- {name: credentials, mountPath: /run/secrets/rotad, readOnly: true}
{{- end }}
{{- end }}

{{/* The volumes of a pod that reads the configuration from a ConfigMap of this name. */}}
{{- define "rotad.volumes" -}}
- name: config
  projected:
    sources:
      - configMap:
          name: {{ .configMap }}
          items:
            - {key: config.yaml, path: config.yaml}
            {{- range $name, $clients := .root.Values.clientFiles }}
            - {key: clients.{{ $name }}.yaml, path: clients.d/{{ $name }}.yaml}
            {{- end }}
      {{- range $file, $from := .root.Values.authorities }}
      - configMap:
          name: {{ $from.configMap }}
          items:
            - {key: {{ $from.key | quote }}, path: {{ printf "authorities/%s" $file | quote }}}
      {{- end }}
{{- with .root.Values.credentials }}
- name: credentials
  projected:
    # 0440: rotad reads them as the group of the volume, and nobody writes them.
    defaultMode: 288
    sources:
      {{- range $file, $from := . }}
      {{- if $from.audience }}
      # The kubelet replaces it before it ends, and rotad reads it at every login.
      - serviceAccountToken: {path: {{ $file | quote }}, audience: {{ $from.audience | quote }}}
      {{- else }}
      - secret:
          name: {{ $from.secret }}
          items:
            - {key: {{ $from.key | quote }}, path: {{ $file | quote }}}
      {{- end }}
      {{- end }}
{{- end }}
{{- end }}
