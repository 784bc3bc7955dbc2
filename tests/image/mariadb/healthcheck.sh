#!/bin/bash
# Succeed when the server hears the network, which it does only once all is made.
exec 3<>/dev/tcp/127.0.0.1/3306
