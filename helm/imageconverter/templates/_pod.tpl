{{/* What the pods of all roles have in common. Call it with (list $ "worker"). */}}
{{- define "imageconverter.podMetadata" -}}
{{- $root := first . -}}
{{- $role := index $root.Values (last .) -}}
labels:
  {{- include "imageconverter.selector" . | nindent 2 }}
  {{- with $role.pod.labels }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
annotations:
  checksum/settings: {{ toJson $root.Values.settings | sha256sum }}
  {{- with $role.pod.annotations }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "imageconverter.podSpec" -}}
{{- $root := first . -}}
{{- $role := index $root.Values (last .) -}}
serviceAccountName: {{ include "imageconverter.name" $root }}
automountServiceAccountToken: false
# The variables of services would be taken for settings: IMAGECONVERTER_PORT.
enableServiceLinks: false
# Reaps the sandbox processes of a killed fork server.
shareProcessNamespace: true
terminationGracePeriodSeconds: {{ $role.terminationGracePeriodSeconds }}
{{- with $root.Values.imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  {{- include "imageconverter.podSecurity" (list 10001 10001) | nindent 2 }}
{{- with $role.pod.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $role.pod.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.pod.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $role.pod.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  {{- if $role.pod.topologySpreadConstraints }}
  {{- toYaml $role.pod.topologySpreadConstraints | nindent 2 }}
  {{- else }}
  - topologyKey: kubernetes.io/hostname
    maxSkew: 1
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "imageconverter.selector" . | nindent 8 }}
  {{- end }}
{{- end -}}

{{/* Call it with (list user group). */}}
{{- define "imageconverter.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ first . }}
runAsGroup: {{ last . }}
fsGroup: {{ last . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "imageconverter.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{- define "imageconverter.container" -}}
{{- $root := first . -}}
name: {{ last . }}
image: {{ include "imageconverter.image" $root }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
args: [{{ last . }}]
securityContext:
  {{- include "imageconverter.containerSecurity" . | nindent 2 }}
envFrom:
  - configMapRef:
      name: {{ include "imageconverter.name" $root }}-settings
{{- end -}}

{{/* The probes of a role without a port: `health` costs half a second of CPU, and fails also if Redis or the store is down. */}}
{{- define "imageconverter.healthProbes" -}}
startupProbe:
  exec:
    command: [imageconverter, health, {{ . }}]
  periodSeconds: 5
  timeoutSeconds: 15
  failureThreshold: 60
livenessProbe:
  exec:
    command: [imageconverter, health, {{ . }}]
  periodSeconds: 60
  timeoutSeconds: 15
  failureThreshold: 10  # an outage is no reason to restart; a process without a heartbeat for ten minutes is
{{- end -}}

{{- define "imageconverter.volumeMounts" -}}
- name: temporary
  mountPath: /tmp
{{- if include "imageconverter.formatsConfigMap" . }}
- name: formats
  mountPath: /etc/imageconverter
  readOnly: true
{{- end }}
{{- if .Values.subshops }}
- name: subshops
  mountPath: /etc/imageconverter-subshops
  readOnly: true
{{- end }}
{{- with .Values.extraVolumeMounts }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "imageconverter.volumes" -}}
- name: temporary
  emptyDir: {sizeLimit: 256Mi}
{{- with include "imageconverter.formatsConfigMap" . }}
- name: formats
  configMap:
    name: {{ . }}
{{- end }}
{{- if .Values.subshops }}
- name: subshops
  configMap:
    name: {{ include "imageconverter.name" . }}-subshops
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
