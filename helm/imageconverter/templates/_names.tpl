{{- define "imageconverter.name" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- else if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 50 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 50 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels that never change. Call it with (list $ "worker"); without a component they select all. */}}
{{- define "imageconverter.selector" -}}
{{- $root := first . -}}
app.kubernetes.io/name: {{ $root.Chart.Name }}
app.kubernetes.io/instance: {{ $root.Release.Name }}
{{- with rest . | first }}
app.kubernetes.io/component: {{ . }}
{{- end }}
{{- end -}}

{{- define "imageconverter.labels" -}}
{{- $root := first . -}}
{{ include "imageconverter.selector" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{- define "imageconverter.image" -}}
{{- with .Values.image -}}
{{- $repository := required "image.repository must be set: build the image of the Dockerfile and push it to a registry of yours" .repository -}}
{{- if .digest -}}
{{ $repository }}@{{ .digest }}
{{- else -}}
{{ $repository }}:{{ .tag | default $.Chart.AppVersion }}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Call it with (list $ "name of a part's own Secret, or empty"). */}}
{{- define "imageconverter.secret" -}}
{{- $root := first . -}}
{{- $made := $root.Values.secret.create | empty | ternary "" (include "imageconverter.name" $root) -}}
{{- last . | default $root.Values.secret.existing | default $made | required "secret.existing must be set, or the name of the Secret of each part" -}}
{{- end -}}
