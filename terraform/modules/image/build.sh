#!/usr/bin/env bash
# Builds one image with Cloud Build, unless the registry has it. Called by Terraform with everything in the environment.
set -euo pipefail

command -v gcloud >/dev/null || {
  echo "gcloud was not found: install the Google Cloud CLI, or give the image you built yourself with -var image=…" >&2
  exit 1
}

if gcloud artifacts docker images describe "$IMAGE" --project "$PROJECT" --quiet >/dev/null 2>&1; then
  echo "$IMAGE is there already"
  exit 0
fi

# Only what the image is made from is sent, without the history and the state of this folder.
context="$(mktemp -d)"
trap 'rm -rf "$context"' EXIT
cd "$ROOT"
for part in shared functions infra requirements.txt pyproject.toml README.md LICENSE; do
  if [ -e "$part" ]; then cp -R "$part" "$context/"; fi
done
find "$context" -name __pycache__ -type d -prune -exec rm -rf {} +

# In a new project permissions take up to a minute or two to be known everywhere.
for attempt in 1 2 3 4; do
  if gcloud builds submit "$context" --config "$CONFIG" --project "$PROJECT" --region "$REGION" --quiet \
    --service-account "$SERVICE_ACCOUNT" --gcs-source-staging-dir "gs://$SOURCE_BUCKET/source" \
    --substitutions "_IMAGE=$IMAGE" --suppress-logs; then
    exit 0
  fi
  echo "build attempt $attempt did not succeed" >&2
  sleep $((attempt * 20))
done
echo "the image could not be built; see: gcloud builds list --project $PROJECT --region $REGION" >&2
exit 1
