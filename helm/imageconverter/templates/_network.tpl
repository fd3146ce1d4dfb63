{{/* What all roles may connect to. */}}
{{- define "imageconverter.roleEgress" -}}
{{- $policy := .Values.networkPolicy -}}
- to:
    {{- toYaml $policy.dns | nindent 4 }}
  ports: [{port: 53, protocol: UDP}, {port: 53, protocol: TCP}]
{{ include "imageconverter.serverEgress" (list . "redis" (include "imageconverter.redisPort" .) $policy.redis) }}
{{- if and .Values.redis.sentinelPort (not .Values.redis.bundled.enabled) }}
{{ include "imageconverter.serverEgress" (list . "redis" .Values.redis.sentinelPort $policy.redis) }}
{{- end }}
{{ include "imageconverter.serverEgress" (list . "s3" (include "imageconverter.s3Port" .) $policy.s3) }}
{{- end -}}

{{/* Call it with (list $ "redis" port peers): the bundled server, else the peers, else anywhere. */}}
{{- define "imageconverter.serverEgress" -}}
{{- $root := first . -}}
{{- $server := index . 1 -}}
- ports: [{port: {{ index . 2 }}, protocol: TCP}]
  {{- if (index $root.Values $server).bundled.enabled }}
  to:
    - podSelector:
        matchLabels:
          {{- include "imageconverter.selector" (list $root $server) | nindent 10 }}
  {{- else }}
  {{- with last . }}
  to:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- end }}
{{- end -}}

{{- define "imageconverter.redisPort" -}}
{{- ternary 6379 .Values.redis.port .Values.redis.bundled.enabled -}}
{{- end -}}

{{/* Of the endpoint: the port if it has one, else that of the scheme. */}}
{{- define "imageconverter.s3Port" -}}
{{- $endpoint := include "imageconverter.s3Endpoint" . | urlParse -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $endpoint.host) | default (ternary "443" "80" (eq $endpoint.scheme "https")) -}}
{{- end -}}

{{/* Metrics of workers and reporters, for the namespaces of the monitoring. */}}
{{- define "imageconverter.metricsIngress" -}}
{{- if and .Values.metrics.enabled .Values.metrics.namespaces }}
ingress:
  - from:
      {{- range .Values.metrics.namespaces }}
      - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . }}}}
      {{- end }}
    ports: [{port: 9100, protocol: TCP}]
{{- end }}
{{- end -}}

{{/* The roles, as `from`. */}}
{{- define "imageconverter.rolesAsPeers" -}}
- podSelector:
    matchLabels:
      {{- include "imageconverter.selector" (list .) | nindent 6 }}
    matchExpressions:
      - {key: app.kubernetes.io/component, operator: In, values: [gateway, worker, reporter]}
{{- end -}}
