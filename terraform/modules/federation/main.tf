# Deploys from GitHub Actions without a key: one account that may only look, for plans of pull requests, and one that
# may change, for the main branch inside a protected environment. Both are bound to one repository by its number,
# which a new owner of the same name does not have.

locals {
  issuer = "https://token.actions.githubusercontent.com"

  # What a plan reads. No role here can change anything or read a secret's value.
  planner_roles = toset([
    "roles/artifactregistry.reader",
    "roles/bigquery.metadataViewer",
    "roles/browser",
    "roles/cloudscheduler.viewer",
    "roles/compute.networkViewer",
    "roles/datastore.viewer",
    "roles/iam.securityReviewer",
    "roles/iam.workloadIdentityPoolViewer",
    "roles/logging.viewer",
    "roles/monitoring.viewer",
    "roles/pubsub.viewer",
    "roles/run.viewer",
    "roles/secretmanager.viewer",
    "roles/serviceusage.serviceUsageConsumer",
  ])

  # What an apply changes, one service each; it can make secrets but not read them.
  deployer_roles = toset([
    "roles/artifactregistry.admin",
    "roles/bigquery.admin",
    "roles/cloudbuild.builds.editor",
    "roles/cloudscheduler.admin",
    "roles/compute.networkAdmin",
    "roles/datastore.owner",
    "roles/iam.roleAdmin",
    "roles/iam.serviceAccountAdmin",
    "roles/iam.workloadIdentityPoolAdmin",
    "roles/logging.configWriter",
    "roles/monitoring.admin",
    "roles/pubsub.admin",
    "roles/resourcemanager.projectIamAdmin",
    "roles/run.admin",
    "roles/serviceusage.serviceUsageAdmin",
    "roles/storage.admin",
  ])
}

resource "google_iam_workload_identity_pool" "this" {
  workload_identity_pool_id = "github"
  display_name              = "GitHub Actions"
}

resource "google_iam_workload_identity_pool_provider" "this" {
  #checkov:skip=CKV_GCP_125:the condition names the repository by its number, which is stricter than the organisation the rule looks for
  workload_identity_pool_id          = google_iam_workload_identity_pool.this.workload_identity_pool_id
  workload_identity_pool_provider_id = "github"
  display_name                       = "GitHub Actions"
  attribute_condition                = "assertion.repository_id == '${var.repository_id}'"

  attribute_mapping = {
    "google.subject"         = "assertion.sub"
    "attribute.repository"   = "assertion.repository"
    "attribute.ref"          = "assertion.ref"
    "attribute.environment"  = "assertion.environment"
    "attribute.event_name"   = "assertion.event_name"
    "attribute.workflow_ref" = "assertion.workflow_ref"
  }

  oidc {
    issuer_uri = local.issuer
  }
}

resource "google_service_account" "planner" {
  account_id   = "arb-planner"
  display_name = "Plans pull requests"
}

resource "google_service_account" "deployer" {
  account_id   = "arb-deployer"
  display_name = "Applies the main branch"
}

# The subject names the environment, and the environment's protection rules name the branch and the reviewers.
resource "google_service_account_iam_member" "deployer" {
  service_account_id = google_service_account.deployer.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/subject/repo:${var.repository}:environment:${var.environment}"
}

resource "google_service_account_iam_member" "planner" {
  service_account_id = google_service_account.planner.name
  role               = "roles/iam.workloadIdentityUser"
  member             = "principal://iam.googleapis.com/${google_iam_workload_identity_pool.this.name}/subject/repo:${var.repository}:pull_request"
}

resource "google_project_iam_member" "planner" {
  for_each = local.planner_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.planner.member
}

resource "google_project_iam_member" "deployer" {
  #checkov:skip=CKV_GCP_49:the deployer makes and grants service accounts: that is its work, and only the protected environment may be it
  #checkov:skip=CKV_GCP_41:the deployer may act as the accounts it deploys, each granted below by name, not through the project
  for_each = local.deployer_roles

  project = var.project_id
  role    = each.value
  member  = google_service_account.deployer.member
}

# To run a service as an account one must be allowed to act as it: on each account, not on all there will ever be.
resource "google_service_account_iam_member" "acts_as" {
  for_each = var.runs_as

  service_account_id = each.value
  role               = "roles/iam.serviceAccountUser"
  member             = google_service_account.deployer.member
}

resource "google_project_iam_member" "deployer_secrets" {
  project = var.project_id
  role    = google_project_iam_custom_role.secret_shells.id
  member  = google_service_account.deployer.member
}

# Makes secrets and says who may read them; reading or adding a value is not among its rights.
resource "google_project_iam_custom_role" "secret_shells" {
  role_id     = "arbSecretShells"
  title       = "Secrets without their values"
  description = "Create, describe and grant secrets; no access to any version's value."
  permissions = [
    "secretmanager.secrets.create",
    "secretmanager.secrets.delete",
    "secretmanager.secrets.get",
    "secretmanager.secrets.getIamPolicy",
    "secretmanager.secrets.list",
    "secretmanager.secrets.setIamPolicy",
    "secretmanager.secrets.update",
    "secretmanager.versions.get",
    "secretmanager.versions.list",
  ]
}

resource "google_storage_bucket_iam_member" "planner_state" {
  count = var.state_bucket == null ? 0 : 1

  bucket = var.state_bucket
  role   = "roles/storage.objectViewer"
  member = google_service_account.planner.member
}
