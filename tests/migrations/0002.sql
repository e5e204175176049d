UPDATE changes SET count = 41 WHERE id = 1;
