# Get the converted images of photo.jpg as the attribute srcset of <img>
curl -sSfG http://127.0.0.1:8005/images/srcset/products -H "Authorization: Bearer $KEY" \
  -d formatNodeId=content.imageFormat.thumbnailProduct -d fileName=photo.jpg
