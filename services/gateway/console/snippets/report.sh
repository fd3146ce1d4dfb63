# Upload the list of images that the shop uses
curl -sSf -X PUT http://127.0.0.1:8005/images/catalog/products -H "Authorization: Bearer $KEY" \
  -H "Content-Type: text/csv" --data-binary 'id,active,images
4711,true,photo.jpg|chair.jpg
'

# Make a report, and wait for it
curl -sSf http://127.0.0.1:8005/images/report -H "Authorization: Bearer $KEY" --json '{}'
until curl -sSf http://127.0.0.1:8005/images/report/status -H "Authorization: Bearer $KEY" \
  | grep -Eq '"running": ?false'; do sleep 1; done

# List the missing and unused images; ?as=csv is for a spreadsheet
curl -sSf "http://127.0.0.1:8005/images/report/products?as=csv" -H "Authorization: Bearer $KEY"
