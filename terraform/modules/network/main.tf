# One subnet whose traffic leaves through one reserved address, for the one service that needs to be known by it.

resource "google_compute_network" "this" {
  #checkov:skip=CKV2_GCP_18:nothing listens in this network, so no firewall rule opens it; the implied rules deny all ingress
  name                    = "arb"
  auto_create_subnetworks = false
}

resource "google_compute_subnetwork" "this" {
  #checkov:skip=CKV_GCP_26:flow logs of one outgoing service cost more than they tell; the NAT logs its errors
  #checkov:skip=CKV_GCP_76:the subnet is IPv4 only, there is no IPv6 access to make private
  name                     = "arb-egress"
  region                   = var.region
  network                  = google_compute_network.this.id
  ip_cidr_range            = var.cidr
  private_ip_google_access = true
}

resource "google_compute_address" "egress" {
  name         = "arb-egress"
  region       = var.region
  address_type = "EXTERNAL"
}

resource "google_compute_router" "this" {
  name    = "arb"
  region  = var.region
  network = google_compute_network.this.id
}

resource "google_compute_router_nat" "this" {
  name                               = "arb"
  region                             = var.region
  router                             = google_compute_router.this.name
  nat_ip_allocate_option             = "MANUAL_ONLY"
  nat_ips                            = [google_compute_address.egress.self_link]
  source_subnetwork_ip_ranges_to_nat = "LIST_OF_SUBNETWORKS"

  # The book stream is one connection that may be silent for minutes.
  tcp_established_idle_timeout_sec = 1200

  subnetwork {
    name                    = google_compute_subnetwork.this.id
    source_ip_ranges_to_nat = ["ALL_IP_RANGES"]
  }

  log_config {
    enable = true
    filter = "ERRORS_ONLY"
  }
}
