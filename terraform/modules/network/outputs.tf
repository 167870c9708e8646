output "egress_ip" {
  description = "The address outgoing traffic comes from; give it to venues that keep an allow-list."
  value       = google_compute_address.egress.address
}

output "network" {
  description = "Network of the subnet."
  value       = google_compute_network.this.id
}

output "subnetwork" {
  description = "Subnet for Direct VPC egress."
  value       = google_compute_subnetwork.this.id
}

output "nat" {
  description = "What the tests look at: how addresses are chosen, and which."
  value = {
    allocate = google_compute_router_nat.this.nat_ip_allocate_option
    ips      = google_compute_router_nat.this.nat_ips
  }
}
