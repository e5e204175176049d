doctor-title = Doctor
doctor-problem = Problem
doctor-warning = Warning
doctor-note = Note
doctor-fine = In order
