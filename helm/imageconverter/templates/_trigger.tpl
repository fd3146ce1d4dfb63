{{/* A trigger by one series of /metrics, which every gateway has. Call it with (list $ series metricType target). */}}
{{- define "imageconverter.trigger" -}}
{{- $root := first . -}}
{{- $address := $root.Values.worker.autoscaling.keda.prometheus -}}
- type: {{ $address | empty | ternary "metrics-api" "prometheus" }}
  metricType: {{ index . 2 }}
  metadata:
    {{- if $address }}
    serverAddress: {{ $address }}
    query: {{ printf "max(%s)" (index . 1 | replace "}" (printf ",namespace=%q}" $root.Release.Namespace)) | squote }}
    threshold: {{ last . | quote }}
    {{- else }}
    url: http://{{ include "imageconverter.name" $root }}-gateway.{{ $root.Release.Namespace }}:{{ $root.Values.gateway.service.port }}/metrics
    format: prometheus
    valueLocation: {{ index . 1 | squote }}
    targetValue: {{ last . | quote }}
    {{- end }}
{{- end -}}
