# Exchange the key for an access token, which is valid for 30 minutes
token=$(curl -sSf http://127.0.0.1:8005/admin/api/v1/login --json "{\"apiKey\": \"$KEY\"}" \
  | sed -E 's/.*"accessToken": ?"([^"]+)".*/\1/')

# Use it as you would use the key
curl -sSf http://127.0.0.1:8005/images/formats -H "Authorization: Bearer $token"
