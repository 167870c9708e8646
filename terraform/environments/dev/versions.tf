terraform {
  required_version = ">= 1.9"

  required_providers {
    google = {
      source  = "hashicorp/google"
      version = ">= 7.23, < 8"
    }
  }

  # The bucket is given once: terraform init -backend-config=bucket=PROJECT-terraform
  backend "gcs" {
    prefix = "arb"
  }
}

provider "google" {
  project = var.project_id
  region  = var.region

  # Budgets are asked of the billing account, but counted against this project.
  user_project_override = true
  billing_project       = var.project_id

  default_labels = {
    app         = "arb"
    environment = "dev"
  }
}
