# Create the bucket, and the user of the roles with the rights of docs/servers.md#s3-permissions. It runs at each
# `up` in the image of MinIO, whose only tools are those of the shell, and changes nothing that exists.
# Secrets are in the environment and in pipes, because all users of the machine can read the arguments of a process.
set -eu
bucket=${IMAGECONVERTER_S3_BUCKET:-imageconverter}

mc mb --ignore-existing "local/$bucket"
cat > /tmp/policy.json <<POLICY
{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": ["s3:ListBucket", "s3:ListBucketMultipartUploads"],
      "Resource": "arn:aws:s3:::$bucket"
    },
    {
      "Effect": "Allow",
      "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:AbortMultipartUpload"],
      "Resource": "arn:aws:s3:::$bucket/*"
    }
  ]
}
POLICY
mc admin policy create local imageconverter /tmp/policy.json
printf '%s\n%s\n' "$S3_ACCESS_KEY" "$S3_SECRET_KEY" | mc admin user add local > /tmp/user
case $(mc --json admin user info local "$S3_ACCESS_KEY") in
  *'"imageconverter"'*) ;;  # to attach it again would be an error
  *) mc admin policy attach local imageconverter --user "$S3_ACCESS_KEY" > /tmp/user ;;
esac
