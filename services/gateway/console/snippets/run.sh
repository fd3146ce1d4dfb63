# Keep photo.jpg as a source in the directory "products"
curl -sSf -H "Authorization: Bearer $KEY" -T photo.jpg \
  http://127.0.0.1:8005/images/sources/products/photo.jpg

# Convert all images of the directory
curl -sSf http://127.0.0.1:8005/images/convert/start -H "Authorization: Bearer $KEY" --json '{
  "action": "manual",
  "source": "directory",
  "directory": "products",
  "formatList": ["content.imageFormat.thumbnailProduct"]
}'

# Follow the progress until the run has ended
curl -sSfN http://127.0.0.1:8005/images/convert/events -H "Authorization: Bearer $KEY"

# List the results
curl -sSf http://127.0.0.1:8005/images/convert/results -H "Authorization: Bearer $KEY"
