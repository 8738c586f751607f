from azure.storage.blob import BlobServiceClient


def test_azurite_keeps_a_blob_with_a_japanese_name(azurite):
    service = BlobServiceClient.from_connection_string(azurite.connection_string)
    container = service.create_container("smoke")
    container.upload_blob("総務/請求書.eml", b"x")
    assert [blob.name for blob in container.list_blobs()] == ["総務/請求書.eml"]
