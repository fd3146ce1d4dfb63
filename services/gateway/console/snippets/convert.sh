# Upload photo.jpg and convert it to two formats
curl -sSf http://127.0.0.1:8005/images/upload/convert -H "Authorization: Bearer $KEY" \
  -F file=@photo.jpg \
  -F formats=content.imageFormat.normalProduct,content.imageFormat.thumbnailProduct

# Download the results; everybody may
curl -sSf -o normal.jpg http://127.0.0.1:8005/content/products/normal/photo.jpg
curl -sSf -o thumbnail.jpg http://127.0.0.1:8005/content/products/thumbnail/photo.jpg
