{{/* A variable of a key in a Secret. Call it with (list $ "VARIABLE" "name of the Secret, or empty" "key"). */}}
{{- define "imageconverter.secretVariable" -}}
- name: {{ index . 1 }}
  valueFrom:
    secretKeyRef:
      name: {{ include "imageconverter.secret" (list (index . 0) (index . 2)) }}
      key: {{ index . 3 }}
{{- end -}}

{{- define "imageconverter.redisAddress" -}}
{{- with .Values.redis -}}
{{- if .bundled.enabled -}}
{{ include "imageconverter.name" $ }}-redis:6379
{{- else -}}
{{ required "redis.host must be set, or redis.secret.url, or redis.bundled.enabled" .host }}:{{ .port }}
{{- end -}}
{{- end -}}
{{- end -}}

{{- define "imageconverter.s3Endpoint" -}}
{{- if .Values.s3.bundled.enabled -}}
http://{{ include "imageconverter.name" . }}-s3:9000
{{- else -}}
{{ required "s3.endpoint must be set, or s3.bundled.enabled" .Values.s3.endpoint }}
{{- end -}}
{{- end -}}

{{/* The variables of all roles. The kubelet puts the password into the URL. */}}
{{- define "imageconverter.environment" -}}
{{- $redis := .Values.redis -}}
{{- $s3 := .Values.s3 -}}
{{- if and $redis.secret.url (not $redis.bundled.enabled) }}
{{ include "imageconverter.secretVariable" (list . "IMAGECONVERTER_REDIS_URL" $redis.secret.name $redis.secret.url) }}
{{- else }}
{{ include "imageconverter.secretVariable" (list . "REDIS_PASSWORD" $redis.secret.name $redis.secret.password) }}
- name: IMAGECONVERTER_REDIS_URL
  value: {{ ternary "rediss" "redis" (and $redis.tls (not $redis.bundled.enabled)) }}://
    {{- ternary "imageconverter" $redis.user $redis.bundled.enabled }}:$(REDIS_PASSWORD)@
    {{- include "imageconverter.redisAddress" . }}/{{ ternary 0 $redis.database $redis.bundled.enabled }}
{{- end }}
- name: IMAGECONVERTER_S3_ENDPOINT
  value: {{ include "imageconverter.s3Endpoint" . }}
{{- with $s3.publicEndpoint }}
- name: IMAGECONVERTER_S3_PUBLIC_ENDPOINT
  value: {{ . }}
{{- end }}
- name: IMAGECONVERTER_S3_REGION
  value: {{ $s3.region | quote }}
- name: IMAGECONVERTER_S3_BUCKET
  value: {{ $s3.bucket | quote }}
{{ include "imageconverter.secretVariable" (list . "IMAGECONVERTER_S3_ACCESS_KEY" $s3.secret.name $s3.secret.accessKey) }}
{{ include "imageconverter.secretVariable" (list . "IMAGECONVERTER_S3_SECRET_KEY" $s3.secret.name $s3.secret.secretKey) }}
{{- if include "imageconverter.formatsConfigMap" . }}
- name: IMAGECONVERTER_FORMATS_FILE
  value: /etc/imageconverter/formats.toml
{{- end }}
{{- if .Values.subshops }}
- name: IMAGECONVERTER_SUBSHOPS_FILE
  value: /etc/imageconverter-subshops/subshops.toml
{{- end }}
{{- end -}}

{{/* Call it with the secretSettings of a role and $: (list $ .Values.worker.secretSettings). */}}
{{- define "imageconverter.secretSettings" -}}
{{- $root := first . -}}
{{- range $variable, $from := last . }}
{{ include "imageconverter.secretVariable" (list $root $variable $from.name $from.key) }}
{{- end }}
{{- end -}}

{{- define "imageconverter.metricsVariables" -}}
{{- if .Values.metrics.enabled }}
- name: IMAGECONVERTER_METRICS_HOST
  value: 0.0.0.0
- name: IMAGECONVERTER_METRICS_PORT
  value: "9100"
{{- end }}
{{- end -}}

{{- define "imageconverter.formatsConfigMap" -}}
{{- with .Values.formats -}}
{{- if .existingConfigMap -}}
{{ .existingConfigMap }}
{{- else if .content -}}
{{ include "imageconverter.name" $ }}-formats
{{- end -}}
{{- end -}}
{{- end -}}
