# The SHA-256 of a file is a good key for its previews
sha256=$(sha256sum photo.jpg | cut -d " " -f 1)

# Get a preview; the first request brings the image along
curl -sSf -o preview.jpg -F sourceImage=@photo.jpg \
  "http://127.0.0.1:8005/imageconverter/cacheAndGetImage/$sha256/jpg:200x150~cover"

# From then on, the key is enough
curl -sSf -o preview.jpg "http://127.0.0.1:8005/imageconverter/getImage/$sha256/jpg:200x150~cover"
