{{/* docs/docker.md#memory-and-process-limits: one image more for a client, half as many that take long, and 1 GiB for the worker. */}}
{{- define "imageconverter.workerResources" -}}
{{- with .Values.worker -}}
{{- if .resources -}}
{{ toYaml .resources }}
{{- else -}}
{{- $images := add .images 1 (max 1 (div .images 2)) -}}
{{- $memory := printf "%dMi" (add (mul $images .imageMemory) 1024) -}}
requests: {cpu: {{ .images | quote }}, memory: {{ $memory }}}
limits: {memory: {{ $memory }}}
{{- end -}}
{{- end -}}
{{- end -}}
